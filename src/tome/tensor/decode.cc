#include <cstring>

#include "tome/base/error.h"
#include "tome/tensor/blocks.h"
#include "tome/tensor/codec.h"
#include "tome/tensor/float16.h"

namespace tome {
namespace {

// Each Decode writes the values of one block to `x`.

void Decode(const BlockQ4_0& block, float* x) {
  const float d = FloatFromF16(block.d);
  for (int j = 0; j < 16; ++j) {
    x[j] = d * static_cast<float>((block.qs[j] & 15) - 8);
    x[j + 16] = d * static_cast<float>((block.qs[j] >> 4) - 8);
  }
}

void Decode(const BlockQ4_1& block, float* x) {
  const float d = FloatFromF16(block.d);
  const float m = FloatFromF16(block.m);
  for (int j = 0; j < 16; ++j) {
    x[j] = d * static_cast<float>(block.qs[j] & 15) + m;
    x[j + 16] = d * static_cast<float>(block.qs[j] >> 4) + m;
  }
}

// Returns 16 where bit j of the four bytes is set, else 0.
int FifthBit(const uint8_t (&qh)[4], int j) { return (qh[j / 8] >> (j % 8) & 1) << 4; }

void Decode(const BlockQ5_0& block, float* x) {
  const float d = FloatFromF16(block.d);
  for (int j = 0; j < 16; ++j) {
    x[j] = d * static_cast<float>(((block.qs[j] & 15) | FifthBit(block.qh, j)) - 16);
    x[j + 16] = d * static_cast<float>((block.qs[j] >> 4 | FifthBit(block.qh, j + 16)) - 16);
  }
}

void Decode(const BlockQ5_1& block, float* x) {
  const float d = FloatFromF16(block.d);
  const float m = FloatFromF16(block.m);
  for (int j = 0; j < 16; ++j) {
    x[j] = d * static_cast<float>((block.qs[j] & 15) | FifthBit(block.qh, j)) + m;
    x[j + 16] = d * static_cast<float>(block.qs[j] >> 4 | FifthBit(block.qh, j + 16)) + m;
  }
}

void Decode(const BlockQ8_0& block, float* x) {
  const float d = FloatFromF16(block.d);
  for (int j = 0; j < kBlockValues; ++j) x[j] = d * static_cast<float>(block.qs[j]);
}

void Decode(const BlockQ4_K& block, float* x) {
  const float d = FloatFromF16(block.d);
  const float dmin = FloatFromF16(block.dmin);
  for (int s = 0; s < 8; ++s) {
    const auto [scale, min] = UnpackScale(block.scales, s);
    const float step = d * static_cast<float>(scale);
    const float base = dmin * static_cast<float>(min);
    for (int l = 0; l < 32; ++l) {
      const int q = block.qs[32 * (s / 2) + l] >> (s % 2 * 4) & 15;
      x[32 * s + l] = step * static_cast<float>(q) - base;
    }
  }
}

void Decode(const BlockQ5_K& block, float* x) {
  const float d = FloatFromF16(block.d);
  const float dmin = FloatFromF16(block.dmin);
  for (int s = 0; s < 8; ++s) {
    const auto [scale, min] = UnpackScale(block.scales, s);
    const float step = d * static_cast<float>(scale);
    const float base = dmin * static_cast<float>(min);
    for (int l = 0; l < 32; ++l) {
      const int low = block.qs[32 * (s / 2) + l] >> (s % 2 * 4) & 15;
      const int q = low | (block.qh[l] >> s & 1) << 4;
      x[32 * s + l] = step * static_cast<float>(q) - base;
    }
  }
}

void Decode(const BlockQ6_K& block, float* x) {
  const float d = FloatFromF16(block.d);
  for (int j = 0; j < kKBlockValues; ++j) {
    const int half = j / 128;
    const int g = j % 128 / 32;
    const int l = j % 32;
    const int low = block.ql[64 * half + 32 * (g % 2) + l] >> (g / 2 * 4) & 15;
    const int high = block.qh[32 * half + l] >> (2 * g) & 3;
    const int sub_block = j / 16;
    const float step = d * static_cast<float>(block.scales[sub_block]);
    x[j] = step * static_cast<float>((low | high << 4) - 32);
  }
}

template <typename Block>
void DecodeBlocks(const std::byte* row, std::span<float> out, size_t block_values) {
  for (size_t i = 0; i < out.size() / block_values; ++i) {
    Block block;  // a copy: the row may stand at any alignment
    std::memcpy(&block, row + i * sizeof(Block), sizeof(Block));
    Decode(block, out.data() + i * block_values);
  }
}

template <float (*ToFloat)(uint16_t)>
void DecodeHalves(const std::byte* row, std::span<float> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    uint16_t half = 0;
    std::memcpy(&half, row + i * sizeof(half), sizeof(half));
    out[i] = ToFloat(half);
  }
}

}  // namespace

void DecodeRow(DType dtype, const std::byte* row, std::span<float> out) {
  if (out.empty()) return;
  RowBytes(dtype, static_cast<int64_t>(out.size()));  // refuses values that do not fill blocks
  switch (dtype) {
    case DType::kF32:
      std::memcpy(out.data(), row, out.size_bytes());
      return;
    case DType::kF16:
      return DecodeHalves<FloatFromF16>(row, out);
    case DType::kBF16:
      return DecodeHalves<FloatFromBF16>(row, out);
    case DType::kQ4_0:
      return DecodeBlocks<BlockQ4_0>(row, out, kBlockValues);
    case DType::kQ4_1:
      return DecodeBlocks<BlockQ4_1>(row, out, kBlockValues);
    case DType::kQ5_0:
      return DecodeBlocks<BlockQ5_0>(row, out, kBlockValues);
    case DType::kQ5_1:
      return DecodeBlocks<BlockQ5_1>(row, out, kBlockValues);
    case DType::kQ8_0:
      return DecodeBlocks<BlockQ8_0>(row, out, kBlockValues);
    case DType::kQ4_K:
      return DecodeBlocks<BlockQ4_K>(row, out, kKBlockValues);
    case DType::kQ5_K:
      return DecodeBlocks<BlockQ5_K>(row, out, kKBlockValues);
    case DType::kQ6_K:
      return DecodeBlocks<BlockQ6_K>(row, out, kKBlockValues);
    default:
      break;
  }
  throw Error(Code::kUnsupported, std::string("values of the type ") + std::string(NameOf(dtype)) +
                                      " are no weights; they cannot be decoded to floats");
}

Tensor DecodeTensor(const TensorView& tensor) {
  Tensor decoded(DType::kF32, tensor.shape);
  const auto floats = decoded.floats();
  const auto row_elements = static_cast<size_t>(tensor.shape.row_elements());
  for (int64_t row = 0; row < tensor.shape.rows(); ++row) {
    DecodeRow(tensor.dtype, tensor.row(row),
              floats.subspan(static_cast<size_t>(row) * row_elements, row_elements));
  }
  return decoded;
}

}  // namespace tome
