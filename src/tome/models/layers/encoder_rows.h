// These functions are what encoders share: checking a batch, attention over its sequences, and
// pooling.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/models/encoder.h"
#include "tome/models/layers/scratch.h"
#include "tome/tensor/tensor.h"

namespace tome {

// The tokens of a batch, one sequence behind the other.
struct EncoderRows {
  std::vector<TokenId> tokens;  // [T]
  std::vector<int64_t> begins;  // [items + 1]: item s has the rows from begins[s] to begins[s + 1]

  int64_t items() const { return static_cast<int64_t>(begins.size()) - 1; }
  int64_t begin(int64_t item) const { return begins[static_cast<size_t>(item)]; }
  int64_t length(int64_t item) const { return begin(item + 1) - begin(item); }
};

// Checks a batch and puts its tokens together. Throws the errors of Encoder::Forward.
EncoderRows RowsOf(EncoderBatch batch, const EncoderFacts& facts);

// Says which rows of each sequence a layer computes.
enum class EncoderQueries {
  kAll,
  kFirst,  // the first row alone
  kLast,   // the last row alone
};

// Returns the queries that the last layer needs: one row where only one is pooled.
EncoderQueries QueriesOf(std::optional<Pooling> pooling);

// Returns the rows of x that are queries: x itself is not copied for kAll, and the result is empty.
Tensor QueryRows(const EncoderRows& rows, EncoderQueries queries, const Tensor& x);

struct EncoderAttentionShape {
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_size = 0;
  float scale = 0;
  int64_t window = 0;             // as in EncoderAttentionArgs
  std::span<const float> slopes;  // [heads]; empty: none
};

// Writes attention to y. q and y are [queries, heads · head_size]; k and v are [T, kv_heads ·
// head_size].
void AttendAll(const EncoderRows& rows, EncoderQueries queries, const EncoderAttentionShape& shape,
               const Tensor& q, const Tensor& k, const Tensor& v, Tensor& y, Scratch& scratch,
               const Compute& compute);

// Returns a row for each sequence of x: [T, width], or [items, width] where the last layer computed
// only the rows that are pooled.
Tensor PoolRows(const EncoderRows& rows, Pooling pooling, Tensor x, const Compute& compute);

}  // namespace tome
