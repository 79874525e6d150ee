// These are the blocks of the quantized types, byte for byte as GGUF files hold them
// (little-endian, no padding). In the formulas, x_j is value j of the block, and nibble_j is its
// half of a byte of qs: the low half for the first values, the high half for the later ones.
//
// Blocks have 2-byte alignment here but none in a file: copy them out or read the members by
// memcpy.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tome {

inline constexpr int kBlockValues = 32;    // of Q4_0, Q4_1, Q5_0, Q5_1, Q8_0
inline constexpr int kKBlockValues = 256;  // of the K types
inline constexpr int kScaleBytes = 12;     // eight scales and eight minimums of six bits

// x_j = d * (nibble_j - 8). Byte j of qs holds x_j (low half) and x_{j+16} (high half).
struct BlockQ4_0 {
  uint16_t d;  // F16, like every d, m and dmin
  uint8_t qs[16];
};

// x_j = d * nibble_j + m.
struct BlockQ4_1 {
  uint16_t d;
  uint16_t m;
  uint8_t qs[16];
};

// x_j = d * (nibble_j + 16 * bit_j - 16), where bit_j is bit j of qh, a little-endian 32-bit word.
struct BlockQ5_0 {
  uint16_t d;
  uint8_t qh[4];
  uint8_t qs[16];
};

// x_j = d * (nibble_j + 16 * bit_j) + m, with bit_j as in Q5_0.
struct BlockQ5_1 {
  uint16_t d;
  uint16_t m;
  uint8_t qh[4];
  uint8_t qs[16];
};

// x_j = d * qs_j.
struct BlockQ8_0 {
  uint16_t d;
  int8_t qs[32];
};

// Eight sub-blocks of 32 values: x = d * scale_s * q - dmin * min_s, where q is a nibble. Two
// sub-blocks share 32 bytes of qs, the even one in the low halves. UnpackScale reads the packed
// scales and minimums.
struct BlockQ4_K {
  uint16_t d;
  uint16_t dmin;
  uint8_t scales[kScaleBytes];
  uint8_t qs[128];
};

// Q4_K with q of five bits: q is 16 more where bit s of byte l of qh is set, for value l of
// sub-block s.
struct BlockQ5_K {
  uint16_t d;
  uint16_t dmin;
  uint8_t scales[kScaleBytes];
  uint8_t qh[32];
  uint8_t qs[128];
};

// Sixteen sub-blocks of 16 values: x = d * scales_s * (q - 32), with q of six bits. Each half of
// the block has 128 values, 64 bytes of ql and 32 bytes of qh. Value 32 * g + l of a half has
//   its low four bits    in byte 32 * (g % 2) + l of ql: the low half for g < 2, else the high half
//   its upper two bits   in byte l of qh, from bit 2g on
struct BlockQ6_K {
  uint8_t ql[128];
  uint8_t qh[64];
  int8_t scales[16];
  uint16_t d;
};

static_assert(sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20);
static_assert(sizeof(BlockQ5_0) == 22 && sizeof(BlockQ5_1) == 24);
static_assert(sizeof(BlockQ8_0) == 34);
static_assert(sizeof(BlockQ4_K) == 144 && sizeof(BlockQ5_K) == 176 && sizeof(BlockQ6_K) == 210);

// A ScaleAndMin is a scale and a minimum of six bits each.
struct ScaleAndMin {
  uint8_t scale;
  uint8_t min;
};

// Returns the scale and minimum of sub-block s (0 to 7). The first four scales stand in the low six
// bits of bytes 0 to 3, the first four minimums in those of bytes 4 to 7. Of the last four, the low
// nibbles share bytes 8 to 11, and the upper two bits fill the bits that the first four left free.
constexpr ScaleAndMin UnpackScale(const uint8_t (&packed)[kScaleBytes], int s) {
  if (s < 4) {
    return {static_cast<uint8_t>(packed[s] & 63), static_cast<uint8_t>(packed[s + 4] & 63)};
  }
  return {static_cast<uint8_t>((packed[s + 4] & 15) | packed[s - 4] >> 6 << 4),
          static_cast<uint8_t>(packed[s + 4] >> 4 | packed[s] >> 6 << 4)};
}

// Packs all eight scales and minimums; the inverse of UnpackScale.
constexpr void PackScales(const ScaleAndMin (&unpacked)[8], uint8_t (&packed)[kScaleBytes]) {
  for (int s = 0; s < 4; ++s) {
    const ScaleAndMin low = unpacked[s];
    const ScaleAndMin high = unpacked[s + 4];
    packed[s] = static_cast<uint8_t>(low.scale | high.scale >> 4 << 6);
    packed[s + 4] = static_cast<uint8_t>(low.min | high.min >> 4 << 6);
    packed[s + 8] = static_cast<uint8_t>((high.scale & 15) | (high.min & 15) << 4);
  }
}

}  // namespace tome
