#include "tome/kernels/attention_mass.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "tome/kernels/generic/kv_element.h"

namespace tome {
namespace {

// Reads the keys of one page and key head as [head_size][kKvPageTokens], so that the scores of
// neighbouring positions are summed side by side.
void ReadKeys(const AttentionMassArgs& args, int64_t kv_head, int64_t page,
              std::vector<float>& keys) {
  const AttentionArgs& shape = args.shape;
  const KvType type = args.sequence.kv.TypeOf(page, shape.type);
  const std::byte* const slice =
      args.sequence.kv.Keys(page) + kv_head * KvSliceBytes(type, shape.head_size);
  for (int64_t channel = 0; channel < shape.head_size; ++channel) {
    for (int64_t slot = 0; slot < kKvPageTokens; ++slot) {
      keys[static_cast<size_t>(channel * kKvPageTokens + slot)] =
          generic::ReadKvElement(type, slice, shape.head_size, KvSide::kKeys, slot, channel);
    }
  }
}

using PageScores = std::array<float, kKvPageTokens>;

PageScores Scores(const AttentionArgs& shape, const float* query, const std::vector<float>& keys) {
  PageScores scores{};
  for (int64_t channel = 0; channel < shape.head_size; ++channel) {
    const float q = query[channel];
    const float* const row = keys.data() + channel * kKvPageTokens;
    for (size_t slot = 0; slot < scores.size(); ++slot) scores[slot] += q * row[slot];
  }
  for (float& score : scores) {
    score *= shape.scale;
    if (shape.soft_cap > 0) score = shape.soft_cap * std::tanh(score / shape.soft_cap);
  }
  return scores;
}

// The sums of the softmax of one token and head. Weights are relative to the largest score so far.
struct TokenSums {
  double largest = -std::numeric_limits<double>::infinity();
  double total = 0;
  std::vector<double> spans;

  void Raise(double score) {
    if (score <= largest) return;
    const double shrink = std::exp(largest - score);  // 0 for the first score
    largest = score;
    total *= shrink;
    for (double& span : spans) span *= shrink;
  }
};

// Adds positions [begin, end), which lie in one page, to a token's sums.
void AddPage(std::span<const PositionSpan> spans, const PageScores& scores, int64_t begin,
             int64_t end, TokenSums& sums) {
  const int64_t base = begin / kKvPageTokens * kKvPageTokens;
  const auto score = [&](int64_t position) {
    return double{scores[static_cast<size_t>(position - base)]};
  };
  double largest = score(begin);
  for (int64_t s = begin; s < end; ++s) largest = std::max(largest, score(s));
  sums.Raise(largest);
  auto span = std::partition_point(spans.begin(), spans.end(),
                                   [&](const PositionSpan& each) { return each.end <= begin; });
  for (int64_t s = begin; s < end; ++s) {
    const double weight = std::exp(score(s) - sums.largest);
    sums.total += weight;
    while (span != spans.end() && span->end <= s) ++span;
    if (span == spans.end() || s < span->begin) continue;
    sums.spans[static_cast<size_t>(span - spans.begin())] += weight;
  }
}

void AddHead(const AttentionMassArgs& args, size_t index) {
  const AttentionArgs& shape = args.shape;
  const AttentionSequence& sequence = args.sequence;
  const int64_t head = args.heads[index];
  const int64_t kv_head = head / (shape.heads / shape.kv_heads);
  std::vector<TokenSums> tokens(static_cast<size_t>(sequence.tokens - args.first_token));
  for (TokenSums& sums : tokens) sums.spans.assign(args.spans.size(), 0);
  std::vector<float> keys(static_cast<size_t>(shape.head_size * kKvPageTokens));
  const int64_t end = sequence.first_position + sequence.tokens;
  for (int64_t page = 0; page * kKvPageTokens < end; ++page) {
    ReadKeys(args, kv_head, page, keys);
    const int64_t base = page * kKvPageTokens;
    for (int64_t t = args.first_token; t < sequence.tokens; ++t) {
      const int64_t position = sequence.first_position + t;
      const int64_t first = std::max(base, FirstSeen(position, shape.window));
      const int64_t last = std::min(base + kKvPageTokens, position + 1);
      if (first >= last) continue;
      const float* const query =
          QueriesFor(sequence, page).q + (t * shape.heads + head) * shape.head_size;
      AddPage(args.spans, Scores(shape, query, keys), first, last,
              tokens[static_cast<size_t>(t - args.first_token)]);
    }
  }
  double* const mass = args.mass + index * args.spans.size();
  for (const TokenSums& sums : tokens) {
    for (size_t j = 0; j < args.spans.size(); ++j) mass[j] += sums.spans[j] / sums.total;
  }
}

}  // namespace

void AddAttentionMass(const AttentionMassArgs& args, ThreadPool& threads) {
  if (args.first_token >= args.sequence.tokens) return;
  threads.ParallelFor(static_cast<int64_t>(args.heads.size()),
                      [&](int64_t i, int) { AddHead(args, static_cast<size_t>(i)); });
}

}  // namespace tome
