// Turns KV pages (attention.h) into operands of products: one head's keys and values of
// kKvPageTokens tokens, as floats or as pairs of BF16.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tome/kernels/attention.h"
#include "tome/kernels/simd/gemm.h"
#include "tome/tensor/float16.h"

namespace tome::TOME_KERNEL_SET {

// Channels of a head, padded with zeros to whole blocks.
constexpr int64_t PaddedHead(int64_t head_size) { return RowBlocks(head_size) * kRowBlock; }

// The operands of one page and head, where channels are PaddedHead:
//
//            F32Dot (floats)           BF16PairDot (BF16)
//   keys     [channels][64 tokens]     [channels / 2][64 tokens][2 channels]
//   values   [64 tokens][channels]     [64 / 2][channels][2 tokens]
struct PageOperands {
  const std::byte* keys = nullptr;
  const std::byte* values = nullptr;
};

// Prefetches one head's slices of the next page while the current page is computed. With few
// queries most time goes to memory, and processors do not foresee the order in which products read
// a page. Lines are requested one by one and evenly: a processor that has as many requests in
// flight as it can track stalls on everything else.
class PageAhead {
 public:
  PageAhead() = default;
  PageAhead(const std::byte* keys, const std::byte* values, int64_t bytes)
      : keys_(keys), values_(values), lines_((bytes + 63) / 64) {}

  // Requests a further `share` of the page, from 0 to 1.
  void Prefetch(float share) {
    due_ += share * static_cast<float>(lines_);
    for (; asked_ < lines_ && static_cast<float>(asked_) < due_; ++asked_) {
      TOME_KERNEL_SET::Prefetch(keys_ + asked_ * 64);
      TOME_KERNEL_SET::Prefetch(values_ + asked_ * 64);
    }
  }

 private:
  const std::byte* keys_ = nullptr;
  const std::byte* values_ = nullptr;
  int64_t lines_ = 0;
  int64_t asked_ = 0;
  float due_ = 0;
};

inline constexpr int64_t kPageOperandBytes = kKvPageTokens * kMaxHeadSize * 4;

// Returns elements [index, index + kLanes) of a slice, without their scale.
template <KvType type>
inline F32 LoadElements(const std::byte* slice, int64_t index) {
  if constexpr (type == KvType::kF16) return LoadF16(slice + index * 2);
  if constexpr (type == KvType::kBF16) return LoadBF16(slice + index * 2);
  if constexpr (type == KvType::kQ8) return ToF32(LoadI8(slice + index));
  // In kQ4, the second half of each run of 64 elements is in the upper nibbles.
  const I32 bytes = LoadU8(slice + index / 64 * 32 + index % 32);
  const I32 nibbles = index % 64 < 32 ? AndI32(bytes, SetI32(15)) : ShiftRight<4>(bytes);
  return ToF32(AddI32(nibbles, SetI32(-8)));
}

template <KvType type>
inline float LoadElement(const std::byte* slice, int64_t index) {
  uint16_t half = 0;
  if constexpr (type == KvType::kF16 || type == KvType::kBF16) {
    std::memcpy(&half, slice + index * 2, 2);
    return type == KvType::kF16 ? FloatFromF16(half) : FloatFromBF16(half);
  }
  if constexpr (type == KvType::kQ8) return static_cast<float>(static_cast<int8_t>(slice[index]));
  const auto byte = static_cast<uint8_t>(slice[index / 64 * 32 + index % 32]);
  return static_cast<float>((index % 64 < 32 ? byte & 15 : byte >> 4) - 8);
}

inline constexpr bool IsScaled(KvType type) { return type == KvType::kQ8 || type == KvType::kQ4; }

// Stores two vectors of pairs, which are the even and odd channel of a token or the even and odd
// token of a channel. BF16 pairs stay together at `at`. Floats are separated: even ones go to `at`,
// odd ones `apart` bytes further.
template <typename Dot>
inline void StorePairs(F32 a, F32 b, std::byte* at, int64_t apart) {
  if constexpr (std::is_same_v<Dot, BF16PairDot>) {
    StoreI32(at, PackBF16(a, b));
  } else {
    F32 even;
    F32 odd;
    Deinterleave(a, b, even, odd);
    Store(reinterpret_cast<float*>(at), even);
    Store(reinterpret_cast<float*>(at + apart), odd);
  }
}
template <typename Dot>
inline void StorePair(float even, float odd, std::byte* at, int64_t apart) {
  if constexpr (std::is_same_v<Dot, BF16PairDot>) {
    const uint16_t pair[2] = {BF16FromFloat(even), BF16FromFloat(odd)};
    std::memcpy(at, pair, sizeof pair);
  } else {
    std::memcpy(at, &even, sizeof even);
    std::memcpy(at + apart, &odd, sizeof odd);
  }
}

// Bytes of one row of `columns` pairs in an operand. With floats, it is two rows.
template <typename Dot>
constexpr int64_t PairRowBytes(int64_t columns) {
  return std::is_same_v<Dot, BF16PairDot> ? columns * 4 : columns * 8;
}

// Whether a page's elements are copied into an operand as they are.
template <typename Dot, KvType type>
inline constexpr bool kCopied = std::is_same_v<Dot, BF16PairDot> && type == KvType::kBF16;

// The share of the next page that is requested while rows of this page are converted or copied. The
// rest is requested while scores become weights. Both larger and smaller shares measured slower.
template <typename Dot, KvType type>
inline constexpr float kShareOfRows = kCopied<Dot, type> ? 0.25F : 0.6F;
template <typename Dot, KvType type>
inline constexpr float kShareOfRow = kShareOfRows<Dot, type> / kKvPageTokens;

template <typename Dot, KvType type>
void ConvertKeys(const std::byte* slice, int64_t head_size, PageAhead& ahead, std::byte* out) {
  const std::byte* const scales = slice + KvElementBytes(type, head_size);
  alignas(64) float twice[2 * kKvPageTokens];  // each token's scale, for both channels of a pair
  const int64_t pairs = KvPaddedHead(head_size) / 2;
  for (int64_t pair = 0; pair < pairs; ++pair) {
    if (IsScaled(type) && pair % (kKvScaleDims / 2) == 0) {
      alignas(64) float once[kKvPageTokens];
      const std::byte* from = scales + pair / (kKvScaleDims / 2) * kKvPageTokens * 2;
      for (int64_t s = 0; s < kKvPageTokens; s += kLanes) Store(once + s, LoadF16(from + 2 * s));
      for (int64_t s = 0; s < kKvPageTokens; ++s) twice[2 * s] = twice[2 * s + 1] = once[s];
    }
    std::byte* const row = out + pair * PairRowBytes<Dot>(kKvPageTokens);
    ahead.Prefetch(kShareOfRow<Dot, type>);
    for (int64_t i = 0; i < 2 * kKvPageTokens; i += 2 * kLanes) {
      if constexpr (kCopied<Dot, type>) {
        StoreI32(row + i * 2, LoadI32(slice + (pair * 2 * kKvPageTokens + i) * 2));
        continue;
      }
      F32 a = LoadElements<type>(slice, pair * 2 * kKvPageTokens + i);
      F32 b = LoadElements<type>(slice, pair * 2 * kKvPageTokens + i + kLanes);
      if constexpr (IsScaled(type)) {
        a = Mul(a, Load(twice + i));
        b = Mul(b, Load(twice + i + kLanes));
      }
      StorePairs<Dot>(a, b, row + i * 2, kKvPageTokens * 4);
    }
  }
}

template <typename Dot, KvType type>
void ConvertValues(const std::byte* slice, int64_t head_size, PageAhead& ahead, std::byte* out) {
  const std::byte* const scales = slice + KvElementBytes(type, head_size);
  const int64_t padded = KvPaddedHead(head_size);
  const int64_t columns = PaddedHead(head_size);
  alignas(64) float scale[kMaxHeadSize / kKvScaleDims][kKvPageTokens];
  if constexpr (IsScaled(type)) {
    for (int64_t block = 0; block < (head_size + kKvScaleDims - 1) / kKvScaleDims; ++block) {
      for (int64_t s = 0; s < kKvPageTokens; s += kLanes) {
        Store(scale[block] + s, LoadF16(scales + (block * kKvPageTokens + s) * 2));
      }
    }
  }
  // If every row of pairs is whole vectors, each vector of kQ4 lies in one half of a run. Otherwise
  // elements are read one by one.
  const bool whole = type != KvType::kQ4 || 2 * padded % kLanes == 0;
  for (int64_t pair = 0; pair < kKvPageTokens / 2; ++pair) {
    std::byte* const row = out + pair * PairRowBytes<Dot>(columns);
    ahead.Prefetch(kShareOfRow<Dot, type>);
    int64_t channel = 0;
    for (; whole && channel + kLanes <= padded; channel += kLanes) {
      if constexpr (kCopied<Dot, type>) {
        StoreI32(row + channel * 4, LoadI32(slice + (pair * padded + channel) * 4));
        continue;
      }
      F32 a = LoadElements<type>(slice, (pair * padded + channel) * 2);
      F32 b = LoadElements<type>(slice, (pair * padded + channel) * 2 + kLanes);
      if constexpr (IsScaled(type)) {
        const F32 both = BroadcastPair(scale[channel / kKvScaleDims] + 2 * pair);
        a = Mul(a, both);
        b = Mul(b, both);
      }
      StorePairs<Dot>(a, b, row + channel * 4, columns * 4);
    }
    for (; channel < padded; ++channel) {
      float even = LoadElement<type>(slice, (pair * padded + channel) * 2);
      float odd = LoadElement<type>(slice, (pair * padded + channel) * 2 + 1);
      if constexpr (IsScaled(type)) {
        even *= scale[channel / kKvScaleDims][2 * pair];
        odd *= scale[channel / kKvScaleDims][2 * pair + 1];
      }
      StorePair<Dot>(even, odd, row + channel * 4, columns * 4);
    }
  }
}

// Zeroes the values of tokens from `count` on, which were never written and hold arbitrary bytes.
template <typename Dot>
void ClearValues(int64_t head_size, int64_t count, std::byte* values) {
  const int64_t columns = PaddedHead(head_size);
  for (int64_t slot = count; slot < kKvPageTokens; ++slot) {
    if constexpr (std::is_same_v<Dot, BF16PairDot>) {
      for (int64_t channel = 0; channel < columns; ++channel) {
        std::memset(values + ((slot / 2 * columns + channel) * 2 + slot % 2) * 2, 0, 2);
      }
    } else {
      std::memset(values + slot * columns * 4, 0, static_cast<size_t>(columns) * 4);
    }
  }
}

template <typename Dot, KvType type>
void Convert(const std::byte* keys, const std::byte* values, int64_t head_size, PageAhead& ahead,
             std::byte* to_keys, std::byte* to_values) {
  ConvertKeys<Dot, type>(keys, head_size, ahead, to_keys);
  ConvertValues<Dot, type>(values, head_size, ahead, to_values);
}

// Returns the operands of one head's slices of a page, of which the first `count` tokens were
// written. They lie in the page itself where it has their layout, and otherwise in the buffers
// (kPageOperandBytes at most), whose padding the caller has zeroed. With `few` queries most time
// goes to memory. Then BF16 pairs are always copied, because products read them in an order in
// which no processor prefetches.
template <typename Dot>
PageOperands OperandsOf(KvType type, const std::byte* keys, const std::byte* values,
                        int64_t head_size, int64_t count, bool few, PageAhead& ahead,
                        std::byte* key_buffer, std::byte* value_buffer) {
  constexpr bool kPairs = std::is_same_v<Dot, BF16PairDot>;
  const bool same = type == (kPairs ? KvType::kBF16 : KvType::kF32);
  const bool copied = kPairs && few;
  if (same && !copied && head_size % kRowBlock == 0 && count == kKvPageTokens)
    return {keys, values};
  switch (type) {
    case KvType::kF32: {
      const int64_t padded = KvPaddedHead(head_size);
      const int64_t columns = PaddedHead(head_size);
      constexpr auto kRowBytes = static_cast<size_t>(kKvPageTokens) * 4;
      for (int64_t channel = 0; channel < padded; ++channel) {
        ahead.Prefetch(kShareOfRow<Dot, KvType::kF32>);
        std::memcpy(key_buffer + channel * kKvPageTokens * 4, keys + channel * kKvPageTokens * 4,
                    kRowBytes);
      }
      for (int64_t slot = 0; slot < kKvPageTokens; ++slot) {
        ahead.Prefetch(kShareOfRow<Dot, KvType::kF32>);
        std::memcpy(value_buffer + slot * columns * 4, values + slot * padded * 4,
                    static_cast<size_t>(padded) * 4);
      }
      break;
    }
    case KvType::kF16:
      Convert<Dot, KvType::kF16>(keys, values, head_size, ahead, key_buffer, value_buffer);
      break;
    case KvType::kBF16:
      Convert<Dot, KvType::kBF16>(keys, values, head_size, ahead, key_buffer, value_buffer);
      break;
    case KvType::kQ8:
      Convert<Dot, KvType::kQ8>(keys, values, head_size, ahead, key_buffer, value_buffer);
      break;
    case KvType::kQ4:
      Convert<Dot, KvType::kQ4>(keys, values, head_size, ahead, key_buffer, value_buffer);
      break;
  }
  if (count < kKvPageTokens) ClearValues<Dot>(head_size, count, value_buffer);
  return {key_buffer, value_buffer};
}

}  // namespace tome::TOME_KERNEL_SET
