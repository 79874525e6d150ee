// Products in tile registers (AMX): up to 16 rows of A with 16 columns of B at once.
//
// A thread that uses tiles holds a TileScope: the shapes are loaded once, and the registers are
// handed back in the end, so that the system need not save them.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "tome/kernels/simd/rows.h"

namespace tome::TOME_KERNEL_SET {

// Everything is in memory that was stored before. The compiler's tile loads are assembler that does
// not say what it reads (g++ 12): without this, stores to what they load may come later, or never.
inline void FinishStores() { asm volatile("" ::: "memory"); }

// Tiles 0 to 3 are sums (16 columns of 32 bits), 4 and 5 rows of A, 6 and 7 columns of B.
class TileScope {
 public:
  // `rows` of A (at most 16), `bytes` of each row (at most 64) that one product reads.
  TileScope(int rows, int bytes) {
    struct alignas(64) Shapes {
      uint8_t palette = 1;
      uint8_t start_row = 0;
      uint8_t reserved[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } shapes;
    for (int tile = 0; tile < 4; ++tile) {
      shapes.row_bytes[tile] = 64;
      shapes.rows[tile] = static_cast<uint8_t>(rows);
    }
    for (int tile = 4; tile < 6; ++tile) {
      shapes.row_bytes[tile] = static_cast<uint16_t>(bytes);
      shapes.rows[tile] = static_cast<uint8_t>(rows);
    }
    for (int tile = 6; tile < 8; ++tile) {
      shapes.row_bytes[tile] = 64;
      shapes.rows[tile] = static_cast<uint8_t>(bytes / 4);
    }
    FinishStores();
    _tile_loadconfig(&shapes);
  }
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;
  ~TileScope() { _tile_release(); }
};

// Gemm of BF16 pairs inside a TileScope(rows, 64); steps are whole blocks of 16.
template <typename Args>
inline void TileGemm(const Args& g, int64_t rows, int64_t vectors) {
  constexpr int64_t kSteps = kRowBlock / 2;
  const auto c_bytes = static_cast<size_t>(g.c_row) * 4;
  const auto a_row = static_cast<size_t>(g.a_row);
  const auto b_step = static_cast<size_t>(g.b_step);
  FinishStores();
  for (int64_t row = 0; row < rows; row += kTileRows) {
    float* const c_rows = g.c + row * g.c_row;
    int64_t v = 0;
    for (; v + 4 <= vectors; v += 4) {
      float* const c = c_rows + v * 16;
      if (g.add) {
        _tile_loadd(0, c, c_bytes);
        _tile_loadd(1, c + 16, c_bytes);
        _tile_loadd(2, c + 32, c_bytes);
        _tile_loadd(3, c + 48, c_bytes);
      } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
      }
      const std::byte* a = g.a + row * g.a_row;
      const std::byte* b = g.b + v * g.b_vector;
      for (int64_t k = 0; k < g.steps; k += kSteps) {
        _tile_loadd(4, a, a_row);
        _tile_loadd(6, b, b_step);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, b + g.b_vector, b_step);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(6, b + 2 * g.b_vector, b_step);
        _tile_dpbf16ps(2, 4, 6);
        _tile_loadd(7, b + 3 * g.b_vector, b_step);
        _tile_dpbf16ps(3, 4, 7);
        a += g.a_block;
        b += kSteps * g.b_step;
      }
      _tile_stored(0, c, c_bytes);
      _tile_stored(1, c + 16, c_bytes);
      _tile_stored(2, c + 32, c_bytes);
      _tile_stored(3, c + 48, c_bytes);
    }
    for (; v < vectors; ++v) {
      float* const c = c_rows + v * 16;
      if (g.add) {
        _tile_loadd(0, c, c_bytes);
      } else {
        _tile_zero(0);
      }
      const std::byte* a = g.a + row * g.a_row;
      const std::byte* b = g.b + v * g.b_vector;
      for (int64_t k = 0; k < g.steps; k += kSteps) {
        _tile_loadd(4, a, a_row);
        _tile_loadd(6, b, b_step);
        _tile_dpbf16ps(0, 4, 6);
        a += g.a_block;
        b += kSteps * g.b_step;
      }
      _tile_stored(0, c, c_bytes);
    }
  }
}

}  // namespace tome::TOME_KERNEL_SET
