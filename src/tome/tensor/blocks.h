// The blocks of the quantized types, byte for byte as GGUF files hold them (little-endian, no
// padding). x_j is value j of the block; nibble_j of qs is its low half for the first values and
// its high half for the later ones.
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

// x_j = d * (nibble_j - 8); bytes j of qs hold x_j (low) and x_{j+16} (high).
struct BlockQ4_0 {
  uint16_t d;  // F16, as every d, m and dmin
  uint8_t qs[16];
};

// x_j = d * nibble_j + m.
struct BlockQ4_1 {
  uint16_t d;
  uint16_t m;
  uint8_t qs[16];
};

// x_j = d * (nibble_j + 16 * bit_j - 16); bit j of qh, a little-endian 32-bit word.
struct BlockQ5_0 {
  uint16_t d;
  uint8_t qh[4];
  uint8_t qs[16];
};

// x_j = d * (nibble_j + 16 * bit_j) + m.
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

// Eight sub-blocks of 32 values: x = d * scale_s * q - dmin * min_s. Two sub-blocks share 32 bytes
// of qs, the even one in the low halves. Scales and minimums are packed as UnpackScale reads them.
struct BlockQ4_K {
  uint16_t d;
  uint16_t dmin;
  uint8_t scales[kScaleBytes];
  uint8_t qs[128];
};

// As Q4_K, with 16 more in q where bit s of qh (one byte per place in a sub-block) is set.
struct BlockQ5_K {
  uint16_t d;
  uint16_t dmin;
  uint8_t scales[kScaleBytes];
  uint8_t qh[32];
  uint8_t qs[128];
};

// Sixteen sub-blocks of 16 values: x = d * scales_s * (q - 32), q of six bits. In each half of the
// block (128 values, 64 bytes of ql, 32 of qh), value 32 * g + l has its low four bits in byte
// 32 * (g % 2) + l of ql, in the low half for g < 2, and its upper two in bits 2g of byte l of qh.
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

// A six-bit scale and minimum.
struct ScaleAndMin {
  uint8_t scale;
  uint8_t min;
};

// Those of sub-block s (0 to 7). The first four of each stand in the low six bits of bytes 0 to 3
// and 4 to 7; of the last four, the low nibbles share bytes 8 to 11 and the upper two bits fill
// what the first four left free.
constexpr ScaleAndMin UnpackScale(const uint8_t (&packed)[kScaleBytes], int s) {
  if (s < 4) {
    return {static_cast<uint8_t>(packed[s] & 63), static_cast<uint8_t>(packed[s + 4] & 63)};
  }
  return {static_cast<uint8_t>((packed[s + 4] & 15) | packed[s - 4] >> 6 << 4),
          static_cast<uint8_t>(packed[s + 4] >> 4 | packed[s] >> 6 << 4)};
}

// The inverse: all eight at once.
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
