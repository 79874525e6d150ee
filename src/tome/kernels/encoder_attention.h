// Attention of encoders, which is not causal: every token of a sequence attends to all of them.
//
//   y_i = Σ_j p_ij v_j,   p_i = softmax_j(scale · q_i · k_j − slope · |i − j|)
//
// (Vaswani et al., 2017; the slopes are ALiBi's, Press et al., 2022, in its symmetric form.) The
// tokens of several sequences lie behind each other in one array, without padding. No token attends
// to another sequence, and a token's result has the same bits whatever else the call holds.
//
// Sums are float. The order in which a score is summed depends only on the head size, and the order
// of the values' sum only on the sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tome/base/thread_pool.h"

namespace tome {

// One sequence of a call. Rows are counted from the first row of `q` or of `k` and `v`.
struct EncoderAttentionSequence {
  int64_t key_begin = 0;  // row of its first key
  int64_t keys = 0;       // at least 1
  int64_t query_begin = 0;
  int64_t queries = 0;
  // Position of its first query among its keys: query i of the sequence is token first_query + i.
  int64_t first_query = 0;
};

struct EncoderAttentionArgs {
  // Row t of q begins at q + t · q_stride and holds [heads, head_size]; likewise rows of k and v,
  // with kv_heads. Query head h reads KV head h / (heads / kv_heads).
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  int64_t q_stride = 0;   // in floats
  int64_t kv_stride = 0;  // in floats, of k and of v
  float* y = nullptr;     // [queries, heads, head_size]
  std::span<const EncoderAttentionSequence> sequences;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_size = 0;  // at most kMaxHeadSize (attention.h)
  float scale = 0;
  int64_t window = 0;             // token i attends to j with |i − j| <= window; 0: to all
  const float* slopes = nullptr;  // [heads]; null: all are 0
  std::byte* scratch = nullptr;   // KernelSet::encoder_attention_scratch bytes, 64-byte aligned
};

}  // namespace tome
