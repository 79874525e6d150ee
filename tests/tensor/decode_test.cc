// Compares a handmade block of each type, with distinct nibbles, with the format's formula in
// double precision.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <vector>

#include "tests/expect_error.h"
#include "tome/tensor/blocks.h"
#include "tome/tensor/codec.h"
#include "tome/tensor/float16.h"

namespace tome {
namespace {

using Bytes = std::vector<uint8_t>;

std::vector<float> Decoded(DType dtype, const Bytes& bytes, size_t values) {
  // The block is at an odd address, because rows of a mapped file have no alignment.
  std::vector<std::byte> shifted(bytes.size() + 1);
  std::memcpy(shifted.data() + 1, bytes.data(), bytes.size());
  std::vector<float> out(values);
  DecodeRow(dtype, shifted.data() + 1, out);
  return out;
}

void PutHalf(Bytes& bytes, size_t at, float value) {
  const uint16_t half = F16FromFloat(value);
  bytes[at] = static_cast<uint8_t>(half & 0xFF);
  bytes[at + 1] = static_cast<uint8_t>(half >> 8);
}

TEST(Decode, Q4_0) {
  Bytes block(18);
  PutHalf(block, 0, -0.5F);
  for (size_t j = 0; j < 16; ++j) block[2 + j] = static_cast<uint8_t>(j | (15 - j) << 4);
  const auto x = Decoded(DType::kQ4_0, block, 32);
  for (int j = 0; j < 16; ++j) {
    EXPECT_EQ(x[static_cast<size_t>(j)], -0.5 * (j - 8));
    EXPECT_EQ(x[static_cast<size_t>(j + 16)], -0.5 * (7 - j));
  }
}

TEST(Decode, Q4_1AddsTheMinimum) {
  Bytes block(20);
  PutHalf(block, 0, 0.25F);
  PutHalf(block, 2, -3);
  for (size_t j = 0; j < 16; ++j) block[4 + j] = static_cast<uint8_t>(j | (15 - j) << 4);
  const auto x = Decoded(DType::kQ4_1, block, 32);
  for (int j = 0; j < 16; ++j) {
    EXPECT_EQ(x[static_cast<size_t>(j)], 0.25 * j - 3);
    EXPECT_EQ(x[static_cast<size_t>(j + 16)], 0.25 * (15 - j) - 3);
  }
}

TEST(Decode, TheFifthBitsOfQ5) {
  Bytes block(24);
  PutHalf(block, 0, 1);
  PutHalf(block, 2, 0.5F);
  block[4] = 0x01;  // value 0
  block[6] = 0x80;  // value 23
  block[7] = 0x40;  // value 30
  block[8 + 7] = 0x90;
  const auto x = Decoded(DType::kQ5_1, block, 32);
  for (size_t j = 0; j < x.size(); ++j) {
    const double low = j == 23 ? 9 : 0;
    const double high = j == 0 || j == 23 || j == 30 ? 16 : 0;
    EXPECT_EQ(x[j], low + high + 0.5) << j;
  }
  Bytes symmetric(block.begin(), block.begin() + 2);
  symmetric.insert(symmetric.end(), block.begin() + 4, block.end());
  const auto y = Decoded(DType::kQ5_0, symmetric, 32);
  for (size_t j = 0; j < y.size(); ++j) EXPECT_EQ(y[j], x[j] - 0.5F - 16) << j;
}

TEST(Decode, Q8_0ReachesBothEnds) {
  Bytes block(34);
  PutHalf(block, 0, 5.9604645e-08F);  // the smallest half
  block[2] = 0x80;
  block[3] = 0x7F;
  const auto x = Decoded(DType::kQ8_0, block, 32);
  EXPECT_EQ(x[0], -128 * 5.9604645e-08F);
  EXPECT_EQ(x[1], 127 * 5.9604645e-08F);
  EXPECT_EQ(x[31], 0);
}

// Returns the scale and minimum of a sub-block, assembled bit by bit as the format describes them.
std::pair<int, int> ScaleOf(const uint8_t* s, int j) {
  if (j < 4) return {s[j] & 63, s[j + 4] & 63};
  return {(s[j + 4] & 15) + 16 * (s[j - 4] >> 6), (s[j + 4] >> 4) + 16 * (s[j] >> 6)};
}

TEST(Decode, RandomBlocksOfQ4_KAndQ5_KFollowTheFormula) {
  std::mt19937 random(7);
  for (const DType dtype : {DType::kQ4_K, DType::kQ5_K}) {
    const bool fifth = dtype == DType::kQ5_K;
    Bytes block(fifth ? 176 : 144);
    for (uint8_t& byte : block) byte = static_cast<uint8_t>(random());
    PutHalf(block, 0, 0.125F);
    PutHalf(block, 2, -0.75F);
    const uint8_t* scales = block.data() + 4;
    const uint8_t* qh = block.data() + 16;
    const uint8_t* qs = block.data() + (fifth ? 48 : 16);
    const auto x = Decoded(dtype, block, 256);
    for (int group = 0; group < 4; ++group) {
      for (int l = 0; l < 32; ++l) {
        for (int upper = 0; upper < 2; ++upper) {
          const auto [scale, min] = ScaleOf(scales, 2 * group + upper);
          const int byte = qs[32 * group + l];
          int q = upper != 0 ? byte / 16 : byte % 16;
          if (fifth && (qh[l] & 1 << (2 * group + upper)) != 0) q += 16;
          const double expected = 0.125 * scale * q + 0.75 * min;
          EXPECT_EQ(x[static_cast<size_t>(64 * group + 32 * upper + l)], expected);
        }
      }
    }
  }
}

TEST(Decode, RandomBlockOfQ6_KFollowsTheFormula) {
  std::mt19937 random(8);
  Bytes block(210);
  for (uint8_t& byte : block) byte = static_cast<uint8_t>(random());
  PutHalf(block, 208, 0.0625F);
  const auto x = Decoded(DType::kQ6_K, block, 256);
  for (int half = 0; half < 2; ++half) {
    const uint8_t* ql = block.data() + 64 * half;
    const uint8_t* qh = block.data() + 128 + 32 * half;
    const auto* scales = reinterpret_cast<const int8_t*>(block.data() + 192 + 8 * half);
    for (int l = 0; l < 32; ++l) {
      const std::array<int, 4> q{
          (ql[l] & 15) + 16 * (qh[l] & 3) - 32, (ql[l + 32] & 15) + 16 * (qh[l] >> 2 & 3) - 32,
          (ql[l] >> 4) + 16 * (qh[l] >> 4 & 3) - 32, (ql[l + 32] >> 4) + 16 * (qh[l] >> 6) - 32};
      for (int g = 0; g < 4; ++g) {
        const double expected = 0.0625 * scales[l / 16 + 2 * g] * q[static_cast<size_t>(g)];
        EXPECT_EQ(x[static_cast<size_t>(128 * half + 32 * g + l)], expected);
      }
    }
  }
}

TEST(Decode, PackedScalesUnpack) {
  ScaleAndMin scales[8];
  for (int s = 0; s < 8; ++s) {
    scales[s] = {static_cast<uint8_t>(9 * s), static_cast<uint8_t>(63 - 7 * s)};
  }
  uint8_t packed[kScaleBytes];
  PackScales(scales, packed);
  for (int s = 0; s < 8; ++s) {
    EXPECT_EQ(ScaleOf(packed, s), std::pair(9 * s, 63 - 7 * s));
    EXPECT_EQ(UnpackScale(packed, s).scale, 9 * s);
    EXPECT_EQ(UnpackScale(packed, s).min, 63 - 7 * s);
  }
}

TEST(Decode, RefusesBrokenBlocksAndIntegers) {
  std::vector<std::byte> bytes(512);
  std::vector<float> out(33);
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { DecodeRow(DType::kQ4_0, bytes.data(), out); }));
  EXPECT_TRUE(Fails(Code::kUnsupported, [&] { DecodeRow(DType::kI32, bytes.data(), out); }));
}

}  // namespace
}  // namespace tome
