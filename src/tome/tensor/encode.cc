#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "tome/base/error.h"
#include "tome/tensor/blocks.h"
#include "tome/tensor/codec.h"
#include "tome/tensor/encode_k.h"
#include "tome/tensor/float16.h"
#include "tome/tensor/scale_search.h"

namespace tome {
namespace {

using BlockSpan = std::span<const float, kBlockValues>;

constexpr float kMaxF16 = 65504.0F;

// All values of a block count the same: blocks of 32 are too small to trade one value's error for
// another's.
constexpr auto kEqualWeights = [] {
  std::array<float, kBlockValues> weights{};
  weights.fill(1);
  return weights;
}();

float Inverse(float scale) { return scale != 0 ? 1 / scale : 0; }

// Returns the integers q in [low, high] with which scale * q + offset comes nearest to the values.
std::array<int, kBlockValues> RoundAll(BlockSpan x, float scale, float offset, float low,
                                       float high) {
  const float inverse = Inverse(scale);
  std::array<int, kBlockValues> q{};
  for (size_t j = 0; j < q.size(); ++j) {
    q[j] = static_cast<int>(RoundClamped((x[j] - offset) * inverse, low, high));
  }
  return q;
}

// Puts the low four bits of the integers into qs, and the fifth into qh where the block has one.
template <typename Block>
void PackNibbles(const std::array<int, kBlockValues>& q, Block& block) {
  for (size_t j = 0; j < 16; ++j) {
    block.qs[j] = static_cast<uint8_t>((q[j] & 15) | (q[j + 16] & 15) << 4);
  }
  if constexpr (requires { block.qh; }) {
    for (size_t j = 0; j < q.size(); ++j) {
      block.qh[j / 8] = static_cast<uint8_t>(block.qh[j / 8] | q[j] >> 4 << (j % 8));
    }
  }
}

// Encodes Q4_0 (half_range 8) and Q5_0 (16).
template <typename Block, int half_range>
Block EncodeSymmetric(BlockSpan x) {
  Block block{};
  block.d = F16FromFloat(SearchScale(x, kEqualWeights, -half_range, half_range - 1));
  auto q = RoundAll(x, FloatFromF16(block.d), 0, -half_range, half_range - 1);
  for (int& value : q) value += half_range;
  PackNibbles(q, block);
  return block;
}

// Encodes Q4_1 (high 15) and Q5_1 (31).
template <typename Block, int high>
Block EncodeAffine(BlockSpan x) {
  const AffineFit fit = SearchAffine(x, kEqualWeights, high, Offset::kAny);
  Block block{};
  block.d = F16FromFloat(std::min(fit.scale, kMaxF16));
  block.m = F16FromFloat(std::clamp(fit.offset, -kMaxF16, kMaxF16));
  PackNibbles(RoundAll(x, FloatFromF16(block.d), FloatFromF16(block.m), 0, high), block);
  return block;
}

// Encodes without a search, like every writer of Q8_0: with 127 levels a search would find nothing
// better.
BlockQ8_0 EncodeQ8_0(BlockSpan x) {
  float extreme = 0;
  for (const float value : x) extreme = std::max(extreme, std::fabs(value));
  const float d = extreme / 127;
  const float inverse = std::isfinite(1 / d) ? 1 / d : 0;
  BlockQ8_0 block{};
  block.d = F16FromFloat(d);
  for (size_t j = 0; j < x.size(); ++j) {
    block.qs[j] = static_cast<int8_t>(std::lround(std::clamp(x[j] * inverse, -127.0F, 127.0F)));
  }
  return block;
}

template <auto Encode, size_t block_values>
void EncodeBlocks(std::span<const float> values, std::byte* row) {
  for (size_t i = 0; i < values.size() / block_values; ++i) {
    const auto x = values.subspan(i * block_values).template first<block_values>();
    const auto block = Encode(x);
    std::memcpy(row + i * sizeof(block), &block, sizeof(block));
  }
}

template <uint16_t (*FromFloat)(float)>
void EncodeHalves(std::span<const float> values, std::byte* row) {
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t half = FromFloat(values[i]);
    std::memcpy(row + i * sizeof(half), &half, sizeof(half));
  }
}

void CheckRange(DType dtype, std::span<const float> values) {
  for (const float value : values) {
    if (std::fabs(value) <= kMaxF16) continue;  // false for NaN
    throw Error(Code::kInvalidArgument,
                fmt::format("the value {} does not fit {}, whose scales are F16; keep this tensor "
                            "in F32 or BF16",
                            value, NameOf(dtype)));
  }
}

}  // namespace

void EncodeRow(DType dtype, std::span<const float> values, std::byte* row) {
  if (values.empty()) return;
  RowBytes(dtype, static_cast<int64_t>(values.size()));  // refuses values that do not fill blocks
  if (IsBlockQuantized(dtype)) CheckRange(dtype, values);
  switch (dtype) {
    case DType::kF32:
      std::memcpy(row, values.data(), values.size_bytes());
      return;
    case DType::kF16:
      return EncodeHalves<F16FromFloat>(values, row);
    case DType::kBF16:
      return EncodeHalves<BF16FromFloat>(values, row);
    case DType::kQ4_0:
      return EncodeBlocks<EncodeSymmetric<BlockQ4_0, 8>, kBlockValues>(values, row);
    case DType::kQ4_1:
      return EncodeBlocks<EncodeAffine<BlockQ4_1, 15>, kBlockValues>(values, row);
    case DType::kQ5_0:
      return EncodeBlocks<EncodeSymmetric<BlockQ5_0, 16>, kBlockValues>(values, row);
    case DType::kQ5_1:
      return EncodeBlocks<EncodeAffine<BlockQ5_1, 31>, kBlockValues>(values, row);
    case DType::kQ8_0:
      return EncodeBlocks<EncodeQ8_0, kBlockValues>(values, row);
    case DType::kQ4_K:
      return EncodeBlocks<EncodeQ4_K, kKBlockValues>(values, row);
    case DType::kQ5_K:
      return EncodeBlocks<EncodeQ5_K, kKBlockValues>(values, row);
    case DType::kQ6_K:
      return EncodeBlocks<EncodeQ6_K, kKBlockValues>(values, row);
    default:
      break;
  }
  throw Error(Code::kUnsupported, fmt::format("floats cannot be encoded as {}", NameOf(dtype)));
}

}  // namespace tome
