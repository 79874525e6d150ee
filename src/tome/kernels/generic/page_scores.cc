#include "tome/kernels/page_choice.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tome/kernels/generic/generic.h"
#include "tome/kernels/generic/kv_element.h"
#include "tome/tensor/float16.h"

namespace tome::generic {

void SummarizeKeys(const KeySummaryArgs& args, ThreadPool& threads) noexcept {
  const int64_t size = args.head_size;
  const int64_t pages = args.page_end - args.page_begin;
  threads.ParallelFor(pages * args.kv_heads, [&](int64_t task, int) {
    const int64_t page = args.page_begin + task / args.kv_heads;
    const int64_t kv_head = task % args.kv_heads;
    const std::byte* const slice =
        args.keys[static_cast<size_t>(page)] + kv_head * KvSliceBytes(args.type, size);
    std::byte* const summary = args.summaries[static_cast<size_t>(page / kKvPartPages)];
    for (int64_t c = 0; c < size; ++c) {
      float sum = 0;
      float least = ReadKvElement(args.type, slice, size, KvSide::kKeys, 0, c);
      float most = least;
      for (int64_t slot = 0; slot < kKvPageTokens; ++slot) {
        const float k = ReadKvElement(args.type, slice, size, KvSide::kKeys, slot, c);
        sum += k;
        least = std::min(least, k);
        most = std::max(most, k);
      }
      const float mean = sum / static_cast<float>(kKvPageTokens);
      const uint16_t a = BF16FromFloat(0.5F * (mean + 0.5F * (least + most)));
      const uint16_t b = BF16FromFloat(0.25F * (most - least));
      std::memcpy(summary + KeySummaryElement(size, kv_head, c, 0, page) * 2, &a, 2);
      std::memcpy(summary + KeySummaryElement(size, kv_head, c, 1, page) * 2, &b, 2);
    }
  });
}

void ScorePages(const PageScoreArgs& args) noexcept {
  const auto read = [&](int64_t page, int64_t channel, int64_t which) {
    uint16_t x = 0;
    std::memcpy(&x,
                args.summaries[static_cast<size_t>(page / kKvPartPages)] +
                    KeySummaryElement(args.head_size, args.kv_head, channel, which, page) * 2,
                2);
    return FloatFromBF16(x);
  };
  for (int64_t i = 0; i < args.queries; ++i) {
    const float* const q = args.q + i * args.head_size;
    for (int64_t page = 0; page < args.pages; ++page) {
      float sum = 0;
      for (int64_t c = 0; c < args.head_size; ++c) {
        sum += q[c] * read(page, c, 0) + std::abs(q[c]) * read(page, c, 1);
      }
      float score = args.scale * sum;
      if (args.soft_cap > 0) score = args.soft_cap * std::tanh(score / args.soft_cap);
      args.scores[i * ScoredPages(args.pages) + page] = score;
    }
  }
}

}  // namespace tome::generic
