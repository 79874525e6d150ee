#include "tome/kernels/encoder_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tome/kernels/generic/dot.h"
#include "tome/kernels/generic/generic.h"

namespace tome::generic {
namespace {

// Computes one query of one head. `scores` has room for all keys of the sequence.
void AttendQuery(const EncoderAttentionArgs& args, const EncoderAttentionSequence& sequence,
                 int64_t query, int64_t head, float* scores) {
  const int64_t size = args.head_size;
  const int64_t kv_head = head / (args.heads / args.kv_heads);
  const int64_t position = sequence.first_query + query;
  const int64_t row = sequence.query_begin + query;
  const float* const q = args.q + row * args.q_stride + head * size;
  const int64_t reach = args.window > 0 ? args.window : sequence.keys;
  const int64_t begin = std::max<int64_t>(0, position - reach);
  const int64_t end = std::min(sequence.keys, position + reach + 1);
  float largest = -std::numeric_limits<float>::infinity();
  for (int64_t j = begin; j < end; ++j) {
    const float* const k = args.k + (sequence.key_begin + j) * args.kv_stride + kv_head * size;
    scores[j] = args.scale * Dot(q, k, size);
    if (args.slopes != nullptr) {
      scores[j] -= args.slopes[head] * static_cast<float>(std::abs(position - j));
    }
    largest = std::max(largest, scores[j]);
  }
  float total = 0;
  float* const y = args.y + (row * args.heads + head) * size;
  std::fill_n(y, size, 0.0F);
  for (int64_t j = begin; j < end; ++j) {
    const float weight = std::exp(scores[j] - largest);
    total += weight;
    const float* const v = args.v + (sequence.key_begin + j) * args.kv_stride + kv_head * size;
    for (int64_t i = 0; i < size; ++i) y[i] += weight * v[i];
  }
  for (int64_t i = 0; i < size; ++i) y[i] /= total;
}

int64_t MostKeys(const EncoderAttentionArgs& args) {
  int64_t most = 0;
  for (const EncoderAttentionSequence& sequence : args.sequences) {
    most = std::max(most, sequence.keys);
  }
  return most;
}

}  // namespace

int64_t EncoderAttentionScratch(const EncoderAttentionArgs& args, int threads) noexcept {
  return threads * MostKeys(args) * static_cast<int64_t>(sizeof(float));
}

void EncoderAttention(const EncoderAttentionArgs& args, ThreadPool& threads) noexcept {
  const auto sequences = static_cast<int64_t>(args.sequences.size());
  const int64_t most = MostKeys(args);
  threads.ParallelFor(sequences * args.heads, [&](int64_t task, int worker) {
    const auto& sequence = args.sequences[static_cast<size_t>(task / args.heads)];
    float* const scores = reinterpret_cast<float*>(args.scratch) + worker * most;
    for (int64_t query = 0; query < sequence.queries; ++query) {
      AttendQuery(args, sequence, query, task % args.heads, scores);
    }
  });
}

}  // namespace tome::generic
