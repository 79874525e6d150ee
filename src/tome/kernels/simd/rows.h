// Rows of activations, prepared for products. They are kept in tiles of kTileRows rows and blocks
// of kRowBlock values, so that a tile's block lies in a few neighbouring cache lines, whatever the
// width. Rows after the last one are zero.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tome/kernels/simd/simd.h"

namespace tome::TOME_KERNEL_SET {

inline constexpr int64_t kTileRows = 16;
inline constexpr int64_t kRowBlock = 32;  // values that share a scale

// A block of a tile for block-quantized weights, with x ≈ d · q. Weights w are kept as unsigned
// bytes w + bias. The negative sums take the bias away again: Σ w q = Σ (w + bias) q − bias · Σ q.
struct alignas(64) QuantizedTile {
  int8_t q[kTileRows][kRowBlock];
  float d[kTileRows];
  float sum[kTileRows];           // d · Σ q, for weights with a minimum
  int32_t minus8[kTileRows];      // −8 · Σ q
  int32_t minus128[kTileRows];    // −128 · Σ q
  int32_t minus32[2][kTileRows];  // −32 · Σ q over each half of the block
};

// A block of a tile for F16 and BF16 weights in sets with BF16 dot products.
struct alignas(64) BF16Tile {
  uint16_t x[kTileRows][kRowBlock];
};

constexpr int64_t Tiles(int64_t rows) { return (rows + kTileRows - 1) / kTileRows; }
constexpr int64_t RowBlocks(int64_t in) { return (in + kRowBlock - 1) / kRowBlock; }

}  // namespace tome::TOME_KERNEL_SET
