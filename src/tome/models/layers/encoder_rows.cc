#include "tome/models/layers/encoder_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tome/base/error.h"

namespace tome {
namespace {

void CheckItem(const EncoderItem& item, const EncoderFacts& facts) {
  const auto length = static_cast<int64_t>(item.tokens.size());
  if (length == 0) {
    throw Error(Code::kInvalidArgument, "a sequence of the batch brings no tokens");
  }
  if (length > facts.max_tokens) {
    throw Error(Code::kInvalidArgument,
                fmt::format("a sequence has {} tokens, and the model reads at most {}; split it",
                            length, facts.max_tokens));
  }
  for (const TokenId token : item.tokens) {
    if (token < 0 || token >= facts.vocabulary) {
      throw Error(
          Code::kInvalidArgument,
          fmt::format("token {} is outside the model's vocabulary of {}", token, facts.vocabulary));
    }
  }
}

}  // namespace

EncoderRows RowsOf(EncoderBatch batch, const EncoderFacts& facts) {
  EncoderRows rows{.tokens = {}, .begins = {0}};
  for (const EncoderItem& item : batch) {
    CheckItem(item, facts);
    rows.tokens.insert(rows.tokens.end(), item.tokens.begin(), item.tokens.end());
    rows.begins.push_back(static_cast<int64_t>(rows.tokens.size()));
  }
  return rows;
}

EncoderQueries QueriesOf(std::optional<Pooling> pooling) {
  if (pooling == Pooling::kFirst) return EncoderQueries::kFirst;
  return pooling == Pooling::kLast ? EncoderQueries::kLast : EncoderQueries::kAll;
}

Tensor QueryRows(const EncoderRows& rows, EncoderQueries queries, const Tensor& x) {
  if (queries == EncoderQueries::kAll) return {};
  const int64_t width = x.shape()[1];
  Tensor chosen(DType::kF32, {rows.items(), width}, Fill::kNone);
  for (int64_t s = 0; s < rows.items(); ++s) {
    const int64_t row = queries == EncoderQueries::kFirst ? rows.begin(s) : rows.begin(s + 1) - 1;
    std::copy_n(x.floats().data() + row * width, width, chosen.floats().data() + s * width);
  }
  return chosen;
}

void AttendAll(const EncoderRows& rows, EncoderQueries queries, const EncoderAttentionShape& shape,
               const Tensor& q, const Tensor& k, const Tensor& v, Tensor& y, Scratch& scratch,
               const Compute& compute) {
  std::vector<EncoderAttentionSequence> sequences;
  sequences.reserve(static_cast<size_t>(rows.items()));
  const bool all = queries == EncoderQueries::kAll;
  for (int64_t s = 0; s < rows.items(); ++s) {
    const int64_t length = rows.length(s);
    sequences.push_back({.key_begin = rows.begin(s),
                         .keys = length,
                         .query_begin = all ? rows.begin(s) : s,
                         .queries = all ? length : 1,
                         .first_query = queries == EncoderQueries::kLast ? length - 1 : 0});
  }
  TOME_CHECK(q.shape() == y.shape() && q.shape()[1] == shape.heads * shape.head_size &&
             k.shape() == v.shape() && k.shape()[1] == shape.kv_heads * shape.head_size);
  EncoderAttentionArgs args{.q = q.floats().data(),
                            .k = k.floats().data(),
                            .v = v.floats().data(),
                            .q_stride = q.shape()[1],
                            .kv_stride = k.shape()[1],
                            .y = y.floats().data(),
                            .sequences = sequences,
                            .heads = shape.heads,
                            .kv_heads = shape.kv_heads,
                            .head_size = shape.head_size,
                            .scale = shape.scale,
                            .window = shape.window,
                            .slopes = shape.slopes.empty() ? nullptr : shape.slopes.data()};
  args.scratch =
      scratch.Get(compute.kernels.encoder_attention_scratch(args, compute.threads.threads()));
  compute.kernels.encoder_attention(args, compute.threads);
}

Tensor PoolRows(const EncoderRows& rows, Pooling pooling, Tensor x, const Compute& compute) {
  if (QueriesOf(pooling) != EncoderQueries::kAll && x.shape()[0] == rows.items()) return x;
  const int64_t width = x.shape()[1];
  Tensor pooled(DType::kF32, {rows.items(), width}, Fill::kNone);
  compute.kernels.pool({.x = x.floats().data(),
                        .begins = rows.begins,
                        .width = width,
                        .pooling = pooling,
                        .y = pooled.floats().data()},
                       compute.threads);
  return pooled;
}

}  // namespace tome
