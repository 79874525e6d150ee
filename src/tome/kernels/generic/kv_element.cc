#include "tome/kernels/generic/kv_element.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tome/tensor/float16.h"

namespace tome::generic {
namespace {

constexpr float kLargestF16 = 65504;

int64_t IndexOf(KvType type, int64_t head_size, KvSide side, int64_t slot, int64_t channel) {
  return side == KvSide::kKeys ? KeyElement(type, slot, channel)
                               : ValueElement(type, head_size, slot, channel);
}

uint16_t ReadHalf(const std::byte* at) {
  uint16_t half = 0;
  std::memcpy(&half, at, sizeof half);
  return half;
}

// Returns the byte of a kQ4 slice that holds element `index`.
int64_t NibbleByte(int64_t index) { return index / 64 * 32 + index % 32; }
bool IsUpperNibble(int64_t index) { return index % 64 >= 32; }

int64_t ScaleByte(KvType type, int64_t head_size, int64_t slot, int64_t channel) {
  return KvElementBytes(type, head_size) + (channel / kKvScaleDims * kKvPageTokens + slot) * 2;
}

// Returns the scale of some channels. With it, the value of largest magnitude becomes ±127 in kQ8,
// and −8 in kQ4, the only one of the sixteen levels without an opposite.
float ScaleOf(KvType type, const float* x, int64_t count) {
  float largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (!(std::abs(x[i]) <= std::abs(largest))) largest = x[i];  // keeps a NaN
  }
  const float scale = type == KvType::kQ8 ? std::abs(largest) / 127.0F : largest / -8.0F;
  return FloatFromF16(F16FromFloat(std::clamp(scale, -kLargestF16, kLargestF16)));
}

void WriteScaled(KvType type, std::byte* slice, int64_t head_size, KvSide side, int64_t slot,
                 const float* x) {
  const float low = type == KvType::kQ8 ? -127.0F : -8.0F;
  const float high = type == KvType::kQ8 ? 127.0F : 7.0F;
  for (int64_t begin = 0; begin < head_size; begin += kKvScaleDims) {
    const int64_t end = std::min(head_size, begin + kKvScaleDims);
    const float d = ScaleOf(type, x + begin, end - begin);
    const uint16_t half = F16FromFloat(d);
    std::memcpy(slice + ScaleByte(type, head_size, slot, begin), &half, sizeof half);
    const float inverse = d == 0 || !std::isfinite(d) ? 0.0F : 1.0F / d;
    for (int64_t c = begin; c < end; ++c) {
      const float scaled = std::isfinite(x[c]) ? x[c] * inverse : 0.0F;
      WriteKvInteger(type, slice, IndexOf(type, head_size, side, slot, c),
                     static_cast<int>(std::nearbyint(std::clamp(scaled, low, high))));
    }
  }
  if (head_size % 2 != 0) {
    WriteKvInteger(type, slice, IndexOf(type, head_size, side, slot, head_size), 0);
  }
}

}  // namespace

float ReadKvElement(KvType type, const std::byte* slice, int64_t head_size, KvSide side,
                    int64_t slot, int64_t channel) {
  const int64_t index = IndexOf(type, head_size, side, slot, channel);
  switch (type) {
    case KvType::kF32: {
      float value = 0;
      std::memcpy(&value, slice + index * 4, sizeof value);
      return value;
    }
    case KvType::kF16:
      return FloatFromF16(ReadHalf(slice + index * 2));
    case KvType::kBF16:
      return FloatFromBF16(ReadHalf(slice + index * 2));
    case KvType::kQ8:
    case KvType::kQ4:
      break;
  }
  const float d = FloatFromF16(ReadHalf(slice + ScaleByte(type, head_size, slot, channel)));
  if (type == KvType::kQ8) return d * static_cast<float>(static_cast<int8_t>(slice[index]));
  const auto byte = static_cast<int>(slice[NibbleByte(index)]);
  return d * static_cast<float>((IsUpperNibble(index) ? byte >> 4 : byte & 15) - 8);
}

void WriteKvInteger(KvType type, std::byte* slice, int64_t index, int value) {
  if (type == KvType::kQ8) {
    slice[index] = static_cast<std::byte>(value);
    return;
  }
  const auto nibble = static_cast<std::byte>(value + 8);
  std::byte& byte = slice[NibbleByte(index)];
  byte = IsUpperNibble(index) ? (byte & std::byte{0x0F}) | nibble << 4
                              : (byte & std::byte{0xF0}) | nibble;
}

void WriteKvVector(KvType type, std::byte* slice, int64_t head_size, KvSide side, int64_t slot,
                   const float* x) {
  if (type == KvType::kQ8 || type == KvType::kQ4) {
    return WriteScaled(type, slice, head_size, side, slot, x);
  }
  for (int64_t c = 0; c < KvPaddedHead(head_size); ++c) {
    const float value = c < head_size ? x[c] : 0.0F;
    const int64_t index = IndexOf(type, head_size, side, slot, c);
    if (type == KvType::kF32) {
      std::memcpy(slice + index * 4, &value, sizeof value);
      continue;
    }
    const float bounded = std::isnan(value) ? value : std::clamp(value, -kLargestF16, kLargestF16);
    const uint16_t half = type == KvType::kF16 ? F16FromFloat(bounded) : BF16FromFloat(value);
    std::memcpy(slice + index * 2, &half, sizeof half);
  }
}

}  // namespace tome::generic
