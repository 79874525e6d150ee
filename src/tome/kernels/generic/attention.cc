#include "tome/kernels/attention.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "tome/kernels/generic/dot.h"
#include "tome/kernels/generic/generic.h"
#include "tome/kernels/generic/kv_element.h"

namespace tome::generic {
namespace {

using HeadVector = std::array<float, kMaxHeadSize>;

// The softmax over the pages seen so far. Weights are relative to the largest score.
struct OnlineSoftmax {
  // The first value is not −∞, because −∞ − (−∞) is NaN.
  float largest = std::numeric_limits<float>::lowest();
  float total = 0;
  HeadVector sum{};  // Σ weight · value
};

struct Head {
  const AttentionArgs& args;
  const AttentionSequence& sequence;
  int64_t kv_head;
  int64_t at;  // index of the head's query in the sequence's q, and of its result in `out`
};

void ReadVector(const Head& head, KvSide side, int64_t position, HeadVector& out) {
  const AttentionArgs& args = head.args;
  const int64_t page = position / kKvPageTokens;
  const KvView& kv = head.sequence.kv;
  const KvType type = kv.TypeOf(page, args.type);
  const std::byte* slice = (side == KvSide::kKeys ? kv.Keys(page) : kv.Values(page)) +
                           head.kv_head * KvSliceBytes(type, args.head_size);
  for (int64_t c = 0; c < args.head_size; ++c) {
    out[static_cast<size_t>(c)] =
        ReadKvElement(type, slice, args.head_size, side, position % kKvPageTokens, c);
  }
}

// Adds positions [begin, end) of one page to the softmax.
void AttendPage(const Head& head, int64_t begin, int64_t end, OnlineSoftmax& softmax) {
  const AttentionArgs& args = head.args;
  const int64_t size = args.head_size;
  const float* const q = QueriesFor(head.sequence, begin / kKvPageTokens).q + head.at;
  std::array<float, kKvPageTokens> scores;
  HeadVector row;
  float largest = softmax.largest;
  for (int64_t position = begin; position < end; ++position) {
    ReadVector(head, KvSide::kKeys, position, row);
    float score = args.scale * Dot(q, row.data(), size);
    if (args.soft_cap > 0) score = args.soft_cap * std::tanh(score / args.soft_cap);
    scores[static_cast<size_t>(position - begin)] = score;
    largest = std::max(largest, score);
  }
  const float shrink = std::exp(softmax.largest - largest);  // 0 for the first page
  softmax.largest = largest;
  softmax.total *= shrink;
  for (int64_t i = 0; i < size; ++i) softmax.sum[static_cast<size_t>(i)] *= shrink;
  for (int64_t position = begin; position < end; ++position) {
    const float weight = std::exp(scores[static_cast<size_t>(position - begin)] - largest);
    softmax.total += weight;
    ReadVector(head, KvSide::kValues, position, row);
    for (int64_t i = 0; i < size; ++i) {
      softmax.sum[static_cast<size_t>(i)] += weight * row[static_cast<size_t>(i)];
    }
  }
}

void AttendHead(const AttentionArgs& args, const AttentionSequence& sequence, int64_t t,
                int64_t h) {
  const int64_t position = sequence.first_position + t;
  const int64_t first = FirstSeen(position, args.window);
  const int64_t at = (t * args.heads + h) * args.head_size;
  const Head head{
      .args = args, .sequence = sequence, .kv_head = h / (args.heads / args.kv_heads), .at = at};
  // Positions are not cut into parts here; their order is the same however the work is divided.
  OnlineSoftmax softmax;
  const auto attend = [&](int64_t page) {
    const int64_t base = page * kKvPageTokens;
    AttendPage(head, std::max(first, base), std::min(position + 1, base + kKvPageTokens), softmax);
  };
  const int64_t first_page = first / kKvPageTokens;
  const int64_t last_page = position / kKvPageTokens;
  if (sequence.chosen == nullptr) {
    for (int64_t page = first_page; page <= last_page; ++page) attend(page);
  } else {
    for (const int32_t page : ChosenFor(sequence, position, head.kv_head, args.kv_heads)) {
      if (page >= first_page && page <= last_page) attend(page);
    }
  }
  for (int64_t i = 0; i < args.head_size; ++i) {
    sequence.out[at + i] = softmax.sum[static_cast<size_t>(i)] / softmax.total;
  }
}

}  // namespace

void WriteKv(const KvWriteArgs& args, ThreadPool& threads) noexcept {
  const int64_t slice = KvSliceBytes(args.type, args.head_size);
  threads.ParallelFor(args.kv_heads, [&](int64_t g, int) {
    for (int64_t t = 0; t < args.tokens; ++t) {
      const int64_t position = args.first_position + t;
      const auto page = static_cast<size_t>(position / kKvPageTokens);
      const int64_t from = (t * args.kv_heads + g) * args.head_size;
      const int64_t slot = position % kKvPageTokens;
      WriteKvVector(args.type, args.keys[page] + g * slice, args.head_size, KvSide::kKeys, slot,
                    args.k + from);
      WriteKvVector(args.type, args.values[page] + g * slice, args.head_size, KvSide::kValues, slot,
                    args.v + from);
    }
  });
}

void Attention(const AttentionArgs& args, ThreadPool& threads) noexcept {
  for (const AttentionSequence& sequence : args.sequences) {
    threads.ParallelFor(sequence.tokens * args.heads, [&](int64_t task, int) {
      AttendHead(args, sequence, task / args.heads, task % args.heads);
    });
  }
}

}  // namespace tome::generic
