#include "tome/kernels/page_choice.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tome/kernels/simd/kv_page.h"
#include "tome/kernels/simd/math.h"
#include "tome/kernels/simd/set.h"

namespace tome::TOME_KERNEL_SET {
namespace {

constexpr int64_t kPartVectors = kKvPartPages / kLanes;

// Returns one head's keys of a page as floats [channels][64 tokens], in `buffer` or, for kF32, in
// the slice itself.
const std::byte* KeyFloats(KvType type, const std::byte* slice, int64_t head_size,
                           std::byte* buffer) {
  PageAhead ahead;
  switch (type) {
    case KvType::kF32:
      return slice;
    case KvType::kF16:
      ConvertKeys<F32Dot, KvType::kF16>(slice, head_size, ahead, buffer);
      break;
    case KvType::kBF16:
      ConvertKeys<F32Dot, KvType::kBF16>(slice, head_size, ahead, buffer);
      break;
    case KvType::kQ8:
      ConvertKeys<F32Dot, KvType::kQ8>(slice, head_size, ahead, buffer);
      break;
    case KvType::kQ4:
      ConvertKeys<F32Dot, KvType::kQ4>(slice, head_size, ahead, buffer);
      break;
  }
  return buffer;
}

float Least(F32 x) { return -Largest(Sub(Zero(), x)); }

// Computes the scores of the pages of one part for kQueries queries.
template <int kQueries>
void ScorePart(const PageScoreArgs& args, const float* q, const std::byte* summary, float* scores,
               int64_t stride) {
  F32 sums[kQueries][2][kPartVectors];
  TOME_UNROLL
  for (auto& query : sums) {
    TOME_UNROLL
    for (auto& which : query) {
      TOME_UNROLL
      for (F32& sum : which) sum = Zero();
    }
  }
  for (int64_t c = 0; c < args.head_size; ++c, summary += 2 * kKvPartPages * 2) {
    TOME_UNROLL
    for (int64_t v = 0; v < kPartVectors; ++v) {
      const F32 a = LoadBF16(summary + v * kLanes * 2);
      const F32 b = LoadBF16(summary + (kKvPartPages + v * kLanes) * 2);
      TOME_UNROLL
      for (int i = 0; i < kQueries; ++i) {
        const F32 x = BroadcastF32(q + i * args.head_size + c);
        sums[i][0][v] = Fma(x, a, sums[i][0][v]);
        sums[i][1][v] = Fma(Abs(x), b, sums[i][1][v]);
      }
    }
  }
  TOME_UNROLL
  for (int i = 0; i < kQueries; ++i) {
    TOME_UNROLL
    for (int64_t v = 0; v < kPartVectors; ++v) {
      F32 score = Mul(Add(sums[i][0][v], sums[i][1][v]), Set(args.scale));
      if (args.soft_cap > 0) {
        score = Mul(Set(args.soft_cap), Tanh(Div(score, Set(args.soft_cap))));
      }
      Store(scores + i * stride + v * kLanes, score);
    }
  }
}

}  // namespace

void SummarizeKeys(const KeySummaryArgs& args, ThreadPool& threads) noexcept {
  const int64_t size = args.head_size;
  const int64_t pages = args.page_end - args.page_begin;
  threads.ParallelFor(pages * args.kv_heads, [&](int64_t task, int) {
    const int64_t page = args.page_begin + task / args.kv_heads;
    const int64_t kv_head = task % args.kv_heads;
    alignas(64) std::byte buffer[kPageOperandBytes];
    const auto* const keys = reinterpret_cast<const float*>(KeyFloats(
        args.type, args.keys[static_cast<size_t>(page)] + kv_head * KvSliceBytes(args.type, size),
        size, buffer));
    std::byte* const summary = args.summaries[static_cast<size_t>(page / kKvPartPages)];
    for (int64_t c = 0; c < size; ++c) {
      const float* const k = keys + c * kKvPageTokens;
      F32 sum = Load(k);
      F32 least = sum;
      F32 most = sum;
      for (int64_t s = kLanes; s < kKvPageTokens; s += kLanes) {
        const F32 x = Load(k + s);
        sum = Add(sum, x);
        least = Min(least, x);
        most = Max(most, x);
      }
      const float low = Least(least);
      const float high = Largest(most);
      const float mean = Sum(sum) / static_cast<float>(kKvPageTokens);
      const uint16_t a = BF16FromFloat(0.5F * (mean + 0.5F * (low + high)));
      const uint16_t b = BF16FromFloat(0.25F * (high - low));
      std::memcpy(summary + KeySummaryElement(size, kv_head, c, 0, page) * 2, &a, 2);
      std::memcpy(summary + KeySummaryElement(size, kv_head, c, 1, page) * 2, &b, 2);
    }
  });
}

void ScorePages(const PageScoreArgs& args) noexcept {
  const int64_t stride = ScoredPages(args.pages);
  for (int64_t part = 0; part * kKvPartPages < args.pages; ++part) {
    const std::byte* const summary = args.summaries[static_cast<size_t>(part)] +
                                     KeySummaryElement(args.head_size, args.kv_head, 0, 0, 0) * 2;
    float* const scores = args.scores + part * kKvPartPages;
    int64_t i = 0;
    for (; i + 4 <= args.queries; i += 4) {
      ScorePart<4>(args, args.q + i * args.head_size, summary, scores + i * stride, stride);
    }
    for (; i < args.queries; ++i) {
      ScorePart<1>(args, args.q + i * args.head_size, summary, scores + i * stride, stride);
    }
  }
}

}  // namespace tome::TOME_KERNEL_SET
