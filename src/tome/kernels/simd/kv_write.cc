// Writes new keys and values into KV pages (attention.h).
#include <algorithm>
#include <cmath>
#include <cstring>

#include "tome/kernels/attention.h"
#include "tome/kernels/generic/kv_element.h"
#include "tome/kernels/simd/kv_page.h"
#include "tome/kernels/simd/set.h"

namespace tome::TOME_KERNEL_SET {
namespace {

// Writes one head of one token like generic::WriteKvVector, but rounds many channels at once.
void WriteQuantized(const KvWriteArgs& args, KvSide side, const float* x, std::byte* slice,
                    int64_t slot) {
  const int64_t size = args.head_size;
  const bool eight = args.type == KvType::kQ8;
  std::byte* const scales = slice + KvElementBytes(args.type, size);
  alignas(64) int32_t q[kKvScaleDims];
  for (int64_t begin = 0; begin < size; begin += kKvScaleDims) {
    const int64_t end = std::min(size, begin + kKvScaleDims);
    float largest = 0;  // value of largest magnitude; keeps a NaN
    for (int64_t c = begin; c < end; ++c) {
      if (!(std::abs(x[c]) <= std::abs(largest))) largest = x[c];
    }
    const float scale = eight ? std::abs(largest) / 127.0F : largest / -8.0F;
    const uint16_t half = F16FromFloat(std::clamp(scale, -65504.0F, 65504.0F));
    const float d = FloatFromF16(half);
    std::memcpy(scales + (begin / kKvScaleDims * kKvPageTokens + slot) * 2, &half, 2);
    const F32 inverse = Set(d == 0 || !std::isfinite(d) ? 0.0F : 1.0F / d);
    const F32 low = Set(eight ? -127.0F : -8.0F);
    const F32 high = Set(eight ? 127.0F : 7.0F);
    for (int64_t i = 0; i < kKvScaleDims; i += kLanes) {
      const F32 scaled = Mul(LoadFirst(x + begin + i, size - begin - i), inverse);
      StoreI32(q + i, ToI32(Max(low, Min(scaled, high))));
    }
    for (int64_t c = begin; c < end; ++c) {
      generic::WriteKvInteger(args.type, slice,
                              side == KvSide::kKeys ? KeyElement(args.type, slot, c)
                                                    : ValueElement(args.type, size, slot, c),
                              q[c - begin]);
    }
  }
  if (size % 2 != 0) {
    generic::WriteKvInteger(args.type, slice,
                            side == KvSide::kKeys ? KeyElement(args.type, slot, size)
                                                  : ValueElement(args.type, size, slot, size),
                            0);
  }
}

void WriteHalves(const KvWriteArgs& args, KvSide side, const float* x, std::byte* slice,
                 int64_t slot) {
  alignas(64) uint16_t halves[kMaxHeadSize + kLanes];
  if (args.type == KvType::kF16) {
    const F32 most = Set(65504);
    for (int64_t c = 0; c < args.head_size; c += kLanes) {
      const F32 value = LoadFirst(x + c, args.head_size - c);
      StoreF16(halves + c, Max(Sub(Zero(), most), Min(most, value)));
    }
  } else {
    // StoreBF16 is not used, because its instruction turns denormals into zeros.
    for (int64_t c = 0; c < args.head_size; ++c) halves[c] = BF16FromFloat(x[c]);
  }
  const int64_t padded = KvPaddedHead(args.head_size);
  if (args.head_size % 2 != 0) halves[args.head_size] = 0;
  if (side == KvSide::kKeys) {
    for (int64_t pair = 0; pair < padded / 2; ++pair) {
      std::memcpy(slice + (pair * kKvPageTokens + slot) * 4, halves + 2 * pair, 4);
    }
    return;
  }
  std::byte* const to = slice + (slot / 2 * padded * 2 + slot % 2) * 2;
  for (int64_t c = 0; c < padded; ++c) std::memcpy(to + c * 4, halves + c, 2);
}

void WriteToken(const KvWriteArgs& args, KvSide side, const float* x, std::byte* slice,
                int64_t slot) {
  if (args.type == KvType::kF32) {
    return generic::WriteKvVector(args.type, slice, args.head_size, side, slot, x);
  }
  if (IsScaled(args.type)) return WriteQuantized(args, side, x, slice, slot);
  WriteHalves(args, side, x, slice, slot);
}

}  // namespace

void WriteKv(const KvWriteArgs& args, ThreadPool& threads) noexcept {
  if (args.tokens == 0) return;
  const int64_t first = args.first_position / kKvPageTokens;
  const int64_t last = (args.first_position + args.tokens - 1) / kKvPageTokens;
  const int64_t slice = KvSliceBytes(args.type, args.head_size);
  // One thread writes a page's slice, because nibbles of two tokens share a byte.
  threads.ParallelFor((last - first + 1) * args.kv_heads, [&](int64_t task, int) {
    const int64_t page = first + task / args.kv_heads;
    const int64_t head = task % args.kv_heads;
    const int64_t begin = std::max(args.first_position, page * kKvPageTokens);
    const int64_t end = std::min(args.first_position + args.tokens, (page + 1) * kKvPageTokens);
    for (int64_t position = begin; position < end; ++position) {
      const int64_t from =
          ((position - args.first_position) * args.kv_heads + head) * args.head_size;
      const int64_t slot = position % kKvPageTokens;
      WriteToken(args, KvSide::kKeys, args.k + from,
                 args.keys[static_cast<size_t>(page)] + head * slice, slot);
      WriteToken(args, KvSide::kValues, args.v + from,
                 args.values[static_cast<size_t>(page)] + head * slice, slot);
    }
  });
}

}  // namespace tome::TOME_KERNEL_SET
