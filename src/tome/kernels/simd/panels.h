// Packed weights are panels of kLanes rows of W. A vector holds one value (or four bytes) of each
// row, so products need no sums across lanes.
//
// Block-quantized types keep their bits and their size. Their panel is
//
//   [values of block 0, block 1, …][header of group 0, group 1, …]
//
// A block is kRowBlock columns. A group is the blocks that share a header (8 in the K types).
// Vector j of an unpacked block holds columns 4j to 4j+3; bytes 4l to 4l+3 belong to row l. It is
// stored as follows:
//
//   low four bits         low halves (j < 4) or high halves of stored vector j % 4
//   fifth bit alone       bit j of every byte of one further vector
//   fifth and sixth bit   bits 2j % 8 and 2j % 8 + 1 of further vector j / 4
//   eight bits            stored vector j
//
// Panels of plain types are [column][row] in floats or halves. For BF16 dot products they are
// [column pair][row][2], padded with zero columns to whole blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tome/kernels/simd/rows.h"
#include "tome/kernels/simd/simd.h"
#include "tome/tensor/blocks.h"
#include "tome/tensor/dtype.h"

namespace tome::TOME_KERNEL_SET {

inline constexpr int kBlockVectors = 8;  // vectors of an unpacked block

// How a block's integer sums become floats. d is the scale of the weights, d' that of the
// activations, and m the minimum of the weights.
enum class BlockKind {
  kOffset,  // d d' (Σ u q − bias Σ q)
  kMin,     // d d' Σ u q + m d' Σ q
  kHalves,  // kOffset with one scale for columns 0 to 15 and one for columns 16 to 31
};

// One block, unpacked to unsigned bytes.
struct Block {
  Bytes u[kBlockVectors];
};

// Scales of a group's blocks. `extra` is the minimum (kMin) or the scale of the second half
// (kHalves).
template <int kBlocks>
struct Scales {
  F32 d[kBlocks];
  F32 extra[kBlocks];
};

inline uint32_t Word(const void* p) {
  uint32_t word = 0;
  std::memcpy(&word, p, sizeof word);
  return word;
}
inline void PutWord(std::byte* p, uint32_t word) { std::memcpy(p, &word, sizeof word); }
inline void PutHalf(std::byte* p, uint16_t half) { std::memcpy(p, &half, sizeof half); }

inline void UnpackNibbles(const std::byte* p, Block& block) {
  const I32 mask = SetI32(0x0F0F0F0F);
  TOME_UNROLL
  for (int j = 0; j < 4; ++j) {
    const I32 both = LoadI32(p + j * kVectorBytes);
    block.u[j] = AndI32(both, mask);
    block.u[j + 4] = AndI32(ShiftRight<4>(both), mask);
  }
}
template <int j>
inline void AddFifthBit(I32 bits, Block& block) {
  const I32 moved =
      j < 4 ? ShiftLeft<(j < 4 ? 4 - j : 0)>(bits) : ShiftRight<(j < 4 ? 0 : j - 4)>(bits);
  block.u[j] = OrI32(block.u[j], AndI32(moved, SetI32(0x10101010)));
}
inline void AddFifthBits(const std::byte* p, Block& block) {
  const I32 bits = LoadI32(p);
  AddFifthBit<0>(bits, block);
  AddFifthBit<1>(bits, block);
  AddFifthBit<2>(bits, block);
  AddFifthBit<3>(bits, block);
  AddFifthBit<4>(bits, block);
  AddFifthBit<5>(bits, block);
  AddFifthBit<6>(bits, block);
  AddFifthBit<7>(bits, block);
}
inline void AddUpperBits(const std::byte* p, Block& block) {
  const I32 mask = SetI32(0x30303030);
  TOME_UNROLL
  for (int half = 0; half < 2; ++half) {
    const I32 bits = LoadI32(p + half * kVectorBytes);
    Bytes* u = block.u + 4 * half;
    u[0] = OrI32(u[0], AndI32(ShiftLeft<4>(bits), mask));
    u[1] = OrI32(u[1], AndI32(ShiftLeft<2>(bits), mask));
    u[2] = OrI32(u[2], AndI32(bits, mask));
    u[3] = OrI32(u[3], AndI32(ShiftRight<2>(bits), mask));
  }
}

// Packing writes one row (`lane`) of a panel at a time: the words of its block at `values`, and its
// part of the header at `header`.

// Returns the place of the word of `lane` in a stored vector.
inline std::byte* LaneWord(std::byte* values, int vector, int64_t lane) {
  return values + vector * kVectorBytes + lane * 4;
}
inline std::byte* LaneHalf(std::byte* header, int vector, int64_t lane) {
  return header + (vector * kLanes + lane) * 2;
}
// Packs the nibbles of eight words; word j holds the columns of vector j.
inline void PackNibbles(const uint32_t (&words)[kBlockVectors], std::byte* values, int64_t lane) {
  for (int j = 0; j < 4; ++j) PutWord(LaneWord(values, j, lane), words[j] | words[j + 4] << 4);
}

// Copies the nibbles of a type with blocks of 32 values, whose byte j holds columns j and j + 16 as
// in a panel.
inline void PackStoredNibbles(const uint8_t (&qs)[kBlockValues / 2], std::byte* values,
                              int64_t lane) {
  for (int j = 0; j < 4; ++j) PutWord(LaneWord(values, j, lane), Word(qs + 4 * j));
}

struct Q4_0Panel {
  using Stored = BlockQ4_0;
  static constexpr BlockKind kKind = BlockKind::kOffset;
  static constexpr int kBias = 8;
  static constexpr int kBlocks = 1;
  static constexpr int kValueBytes = 4 * kVectorBytes;
  static constexpr int kHeaderBytes = 2 * kLanes;
  static void Unpack(const std::byte* values, Block& block) { UnpackNibbles(values, block); }
  static void UnpackScales(const std::byte* header, Scales<1>& scales) {
    scales.d[0] = LoadF16(header);
  }
  static void Pack(const Stored& stored, std::byte* values, std::byte* header, int64_t lane) {
    PackStoredNibbles(stored.qs, values, lane);
    PutHalf(LaneHalf(header, 0, lane), stored.d);
  }
};

struct Q4_1Panel {
  using Stored = BlockQ4_1;
  static constexpr BlockKind kKind = BlockKind::kMin;
  static constexpr int kBias = 0;
  static constexpr int kBlocks = 1;
  static constexpr int kValueBytes = 4 * kVectorBytes;
  static constexpr int kHeaderBytes = 4 * kLanes;
  static void Unpack(const std::byte* values, Block& block) { UnpackNibbles(values, block); }
  static void UnpackScales(const std::byte* header, Scales<1>& scales) {
    scales.d[0] = LoadF16(header);
    scales.extra[0] = LoadF16(header + 2 * kLanes);
  }
  static void Pack(const Stored& stored, std::byte* values, std::byte* header, int64_t lane) {
    PackStoredNibbles(stored.qs, values, lane);
    PutHalf(LaneHalf(header, 0, lane), stored.d);
    PutHalf(LaneHalf(header, 1, lane), stored.m);
  }
};

// Moves the fifth bits of 32 columns from bit c for column c to bit c / 4 of byte c % 4.
inline uint32_t SpreadBits(uint32_t bits) {
  uint32_t spread = 0;
  for (int j = 0; j < kBlockVectors; ++j) {
    spread |= ((bits >> (4 * j) & 0xFU) * 0x00204081U & 0x01010101U) << j;
  }
  return spread;
}

struct Q5_0Panel {
  using Stored = BlockQ5_0;
  static constexpr BlockKind kKind = BlockKind::kMin;  // the minimum is −16 d
  static constexpr int kBias = 0;
  static constexpr int kBlocks = 1;
  static constexpr int kValueBytes = 5 * kVectorBytes;
  static constexpr int kHeaderBytes = 2 * kLanes;
  static void Unpack(const std::byte* values, Block& block) {
    UnpackNibbles(values, block);
    AddFifthBits(values + 4 * kVectorBytes, block);
  }
  static void UnpackScales(const std::byte* header, Scales<1>& scales) {
    scales.d[0] = LoadF16(header);
    scales.extra[0] = Mul(scales.d[0], Set(-16));
  }
  static void Pack(const Stored& stored, std::byte* values, std::byte* header, int64_t lane) {
    PackStoredNibbles(stored.qs, values, lane);
    PutWord(LaneWord(values, 4, lane), SpreadBits(Word(stored.qh)));
    PutHalf(LaneHalf(header, 0, lane), stored.d);
  }
};

struct Q5_1Panel {
  using Stored = BlockQ5_1;
  static constexpr BlockKind kKind = BlockKind::kMin;
  static constexpr int kBias = 0;
  static constexpr int kBlocks = 1;
  static constexpr int kValueBytes = 5 * kVectorBytes;
  static constexpr int kHeaderBytes = 4 * kLanes;
  static void Unpack(const std::byte* values, Block& block) { Q5_0Panel::Unpack(values, block); }
  static void UnpackScales(const std::byte* header, Scales<1>& scales) {
    Q4_1Panel::UnpackScales(header, scales);
  }
  static void Pack(const Stored& stored, std::byte* values, std::byte* header, int64_t lane) {
    PackStoredNibbles(stored.qs, values, lane);
    PutWord(LaneWord(values, 4, lane), SpreadBits(Word(stored.qh)));
    PutHalf(LaneHalf(header, 0, lane), stored.d);
    PutHalf(LaneHalf(header, 1, lane), stored.m);
  }
};

struct Q8_0Panel {
  using Stored = BlockQ8_0;
  static constexpr BlockKind kKind = BlockKind::kOffset;
  static constexpr int kBias = 128;
  static constexpr int kBlocks = 1;
  static constexpr int kValueBytes = 8 * kVectorBytes;
  static constexpr int kHeaderBytes = 2 * kLanes;
  static void Unpack(const std::byte* values, Block& block) {
    TOME_UNROLL
    for (int j = 0; j < kBlockVectors; ++j) block.u[j] = LoadI32(values + j * kVectorBytes);
  }
  static void UnpackScales(const std::byte* header, Scales<1>& scales) {
    scales.d[0] = LoadF16(header);
  }
  static void Pack(const Stored& stored, std::byte* values, std::byte* header, int64_t lane) {
    for (int j = 0; j < kBlockVectors; ++j) {
      PutWord(LaneWord(values, j, lane), Word(stored.qs + 4 * j) ^ 0x80808080U);
    }
    PutHalf(LaneHalf(header, 0, lane), stored.d);
  }
};

// Packs sixteen fields of six bits into three words a lane. Each word holds five fields; the last
// field takes the two upper bits of each word. Fields 0 to 7 are scales, 8 to 15 minimums.
inline void PackSixBits(const BlockQ4_K& stored, std::byte* words, int64_t lane) {
  uint32_t fields[16];
  for (int s = 0; s < 8; ++s) {
    const ScaleAndMin both = UnpackScale(stored.scales, s);
    fields[s] = both.scale;
    fields[8 + s] = both.min;
  }
  for (int w = 0; w < 3; ++w) {
    uint32_t word = (fields[15] >> (2 * w) & 3U) << 30;
    for (int f = 0; f < 5; ++f) word |= fields[5 * w + f] << (6 * f);
    PutWord(LaneWord(words, w, lane), word);
  }
}

template <int field>
inline F32 SixBits(const I32 (&words)[3]) {
  if constexpr (field == 15) {
    const I32 low = ShiftRight<30>(words[0]);
    const I32 middle = ShiftLeft<2>(ShiftRight<30>(words[1]));
    const I32 high = ShiftLeft<4>(ShiftRight<30>(words[2]));
    return ToF32(OrI32(OrI32(low, middle), high));
  } else {
    return ToF32(AndI32(ShiftRight<6 * (field % 5)>(words[field / 5]), SetI32(63)));
  }
}

template <int s>
inline void UnpackSixBits(const I32 (&words)[3], F32 d, F32 minus_dmin, Scales<8>& scales) {
  scales.d[s] = Mul(d, SixBits<s>(words));
  scales.extra[s] = Mul(minus_dmin, SixBits<8 + s>(words));
}

struct Q4_KPanel {
  using Stored = BlockQ4_K;
  static constexpr BlockKind kKind = BlockKind::kMin;
  static constexpr int kBias = 0;
  static constexpr int kBlocks = 8;
  static constexpr int kValueBytes = 4 * kVectorBytes;
  static constexpr int kHeaderBytes = 4 * kLanes + 3 * kVectorBytes;
  static void Unpack(const std::byte* values, Block& block) { UnpackNibbles(values, block); }
  static void UnpackScales(const std::byte* header, Scales<8>& scales) {
    const F32 d = LoadF16(header);
    const F32 minus_dmin = Sub(Zero(), LoadF16(header + 2 * kLanes));
    I32 words[3];
    for (int w = 0; w < 3; ++w) words[w] = LoadI32(header + 4 * kLanes + w * kVectorBytes);
    UnpackSixBits<0>(words, d, minus_dmin, scales);
    UnpackSixBits<1>(words, d, minus_dmin, scales);
    UnpackSixBits<2>(words, d, minus_dmin, scales);
    UnpackSixBits<3>(words, d, minus_dmin, scales);
    UnpackSixBits<4>(words, d, minus_dmin, scales);
    UnpackSixBits<5>(words, d, minus_dmin, scales);
    UnpackSixBits<6>(words, d, minus_dmin, scales);
    UnpackSixBits<7>(words, d, minus_dmin, scales);
  }
  // Unpacks the words of sub-block s from stored nibbles, where pairs of sub-blocks share 32 bytes.
  static void Nibbles(const uint8_t* qs, int s, uint32_t (&words)[kBlockVectors]) {
    for (int j = 0; j < kBlockVectors; ++j) {
      words[j] = Word(qs + s / 2 * 32 + 4 * j) >> (s % 2 * 4) & 0x0F0F0F0FU;
    }
  }
  static void Pack(const Stored& stored, std::byte* values, std::byte* header, int64_t lane) {
    for (int s = 0; s < kBlocks; ++s) {
      uint32_t words[kBlockVectors];
      Nibbles(stored.qs, s, words);
      PackNibbles(words, values + s * kValueBytes, lane);
    }
    PutHalf(LaneHalf(header, 0, lane), stored.d);
    PutHalf(LaneHalf(header, 1, lane), stored.dmin);
    PackSixBits(stored, header + 4 * kLanes, lane);
  }
};

struct Q5_KPanel {
  using Stored = BlockQ5_K;
  static constexpr BlockKind kKind = BlockKind::kMin;
  static constexpr int kBias = 0;
  static constexpr int kBlocks = 8;
  static constexpr int kValueBytes = 5 * kVectorBytes;
  static constexpr int kHeaderBytes = Q4_KPanel::kHeaderBytes;
  static void Unpack(const std::byte* values, Block& block) { Q5_0Panel::Unpack(values, block); }
  static void UnpackScales(const std::byte* header, Scales<8>& scales) {
    Q4_KPanel::UnpackScales(header, scales);
  }
  static void Pack(const Stored& stored, std::byte* values, std::byte* header, int64_t lane) {
    for (int s = 0; s < kBlocks; ++s) {
      uint32_t words[kBlockVectors];
      Q4_KPanel::Nibbles(stored.qs, s, words);
      PackNibbles(words, values + s * kValueBytes, lane);
      uint32_t bits = 0;
      for (int j = 0; j < kBlockVectors; ++j) {
        bits |= (Word(stored.qh + 4 * j) >> s & 0x01010101U) << j;
      }
      PutWord(LaneWord(values + s * kValueBytes, 4, lane), bits);
    }
    PutHalf(LaneHalf(header, 0, lane), stored.d);
    PutHalf(LaneHalf(header, 1, lane), stored.dmin);
    BlockQ4_K scales;
    std::memcpy(scales.scales, stored.scales, sizeof scales.scales);
    PackSixBits(scales, header + 4 * kLanes, lane);
  }
};

struct Q6_KPanel {
  using Stored = BlockQ6_K;
  static constexpr BlockKind kKind = BlockKind::kHalves;
  static constexpr int kBias = 32;
  static constexpr int kBlocks = 8;
  static constexpr int kValueBytes = 6 * kVectorBytes;
  static constexpr int kHeaderBytes = 2 * kLanes + 16 * kLanes;
  static void Unpack(const std::byte* values, Block& block) {
    UnpackNibbles(values, block);
    AddUpperBits(values + 4 * kVectorBytes, block);
  }
  static void UnpackScales(const std::byte* header, Scales<8>& scales) {
    const F32 d = LoadF16(header);
    const std::byte* eights = header + 2 * kLanes;
    for (int s = 0; s < kBlocks; ++s) {
      scales.d[s] = Mul(d, ToF32(LoadI8(eights + 2 * s * kLanes)));
      scales.extra[s] = Mul(d, ToF32(LoadI8(eights + (2 * s + 1) * kLanes)));
    }
  }
  static void Pack(const Stored& stored, std::byte* values, std::byte* header, int64_t lane) {
    for (int s = 0; s < kBlocks; ++s) {
      const int half = s / 4;
      const int g = s % 4;
      uint32_t words[kBlockVectors];
      uint32_t upper[2] = {0, 0};
      for (int j = 0; j < kBlockVectors; ++j) {
        const uint32_t low = Word(stored.ql + half * 64 + g % 2 * 32 + 4 * j);
        words[j] = low >> (g < 2 ? 0 : 4) & 0x0F0F0F0FU;
        upper[j / 4] |= (Word(stored.qh + half * 32 + 4 * j) >> (2 * g) & 0x03030303U)
                        << (2 * (j % 4));
      }
      std::byte* at = values + s * kValueBytes;
      PackNibbles(words, at, lane);
      PutWord(LaneWord(at, 4, lane), upper[0]);
      PutWord(LaneWord(at, 5, lane), upper[1]);
    }
    PutHalf(LaneHalf(header, 0, lane), stored.d);
    for (int s = 0; s < 16; ++s) {
      std::memcpy(header + 2 * kLanes + s * kLanes + lane, stored.scales + s, 1);
    }
  }
};

// Calls body.operator()<Panel>() with the panel of a block-quantized type.
template <typename Body>
inline void WithPanel(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::kQ4_0:
      return body.template operator()<Q4_0Panel>();
    case DType::kQ4_1:
      return body.template operator()<Q4_1Panel>();
    case DType::kQ5_0:
      return body.template operator()<Q5_0Panel>();
    case DType::kQ5_1:
      return body.template operator()<Q5_1Panel>();
    case DType::kQ8_0:
      return body.template operator()<Q8_0Panel>();
    case DType::kQ4_K:
      return body.template operator()<Q4_KPanel>();
    case DType::kQ5_K:
      return body.template operator()<Q5_KPanel>();
    case DType::kQ6_K:
      return body.template operator()<Q6_KPanel>();
    default:
      return;  // plain type
  }
}

// Bytes of one panel of `in` columns, where `in` is whole groups.
template <typename Panel>
constexpr int64_t PanelBytes(int64_t in) {
  const int64_t blocks = in / kRowBlock;
  return blocks * Panel::kValueBytes + blocks / Panel::kBlocks * Panel::kHeaderBytes;
}

// Bytes of one column of a panel of a plain type.
inline int64_t PlainColumnBytes(DType dtype) { return (dtype == DType::kF32 ? 4 : 2) * kLanes; }
// Returns whether weights of a plain type are packed for BF16 dot products.
inline bool UsesBF16Dot(DType dtype) { return kHasBF16Dot && dtype != DType::kF32; }
inline int64_t PlainPanelBytes(DType dtype, int64_t in) {
  const int64_t columns = UsesBF16Dot(dtype) ? RowBlocks(in) * kRowBlock : in;
  return columns * PlainColumnBytes(dtype);
}

inline int64_t PanelBytesOf(DType dtype, int64_t in) {
  int64_t bytes = PlainPanelBytes(dtype, in);
  WithPanel(dtype, [&]<typename Panel>() { bytes = PanelBytes<Panel>(in); });
  // Panels begin at whole cache lines.
  return (bytes + 63) / 64 * 64;
}

}  // namespace tome::TOME_KERNEL_SET
