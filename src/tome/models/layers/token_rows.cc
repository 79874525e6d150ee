#include "tome/models/layers/token_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tome/base/error.h"
#include "tome/tensor/codec.h"

namespace tome {
namespace {

void CheckItem(const BatchItem& item, int64_t vocabulary) {
  if (item.tokens.empty()) {
    throw Error(Code::kInvalidArgument, "a sequence of the batch brings no tokens");
  }
  for (const TokenId token : item.tokens) {
    if (token < 0 || token >= vocabulary) {
      throw Error(
          Code::kInvalidArgument,
          fmt::format("token {} is outside the model's vocabulary of {}", token, vocabulary));
    }
  }
  const int64_t length = item.memory->length() + static_cast<int64_t>(item.tokens.size());
  if (length > item.memory->max_tokens()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{} tokens do not fit a memory made for {}; ask for a longer context",
                            length, item.memory->max_tokens()));
  }
}

// Returns the rows of x whose logits are asked for.
std::vector<int64_t> WantedRows(Batch batch) {
  std::vector<int64_t> rows;
  int64_t begin = 0;
  for (const BatchItem& item : batch) {
    const int64_t end = begin + static_cast<int64_t>(item.tokens.size());
    const int64_t first = item.logits == LogitsOf::kAll    ? begin
                          : item.logits == LogitsOf::kLast ? end - 1
                                                           : end;
    for (int64_t row = first; row < end; ++row) rows.push_back(row);
    begin = end;
  }
  return rows;
}

}  // namespace

int64_t CheckBatch(Batch batch, int64_t vocabulary) {
  int64_t tokens = 0;
  for (const BatchItem& item : batch) {
    CheckItem(item, vocabulary);
    tokens += static_cast<int64_t>(item.tokens.size());
  }
  return tokens;
}

int64_t BeginForward(Batch batch, int64_t vocabulary) {
  const int64_t tokens = CheckBatch(batch, vocabulary);
  for (const BatchItem& item : batch) {
    item.memory->Reserve(static_cast<int64_t>(item.tokens.size()));
  }
  return tokens;
}

Tensor RowsOf(std::span<const TokenId> tokens, const TensorView& embedding,
              const Compute& compute) {
  const int64_t width = embedding.shape[1];
  const auto count = static_cast<int64_t>(tokens.size());
  Tensor x(DType::kF32, {count, width}, Fill::kNone);
  compute.threads.ParallelFor(count, [&](int64_t t, int) {
    DecodeRow(embedding.dtype, embedding.row(tokens[static_cast<size_t>(t)]),
              x.floats().subspan(static_cast<size_t>(t * width), static_cast<size_t>(width)));
  });
  return x;
}

Tensor Embed(Batch batch, const TensorView& embedding, const Compute& compute) {
  std::vector<TokenId> tokens;
  for (const BatchItem& item : batch) {
    tokens.insert(tokens.end(), item.tokens.begin(), item.tokens.end());
  }
  return RowsOf(tokens, embedding, compute);
}

Tensor Head(Batch batch, const Tensor& x, const Norm& norm, const Linear& head, Scratch& scratch,
            const Compute& compute) {
  const std::vector<int64_t> rows = WantedRows(batch);
  const int64_t width = x.shape()[1];
  const auto count = static_cast<int64_t>(rows.size());
  Tensor logits(DType::kF32, {count, head.out()}, Fill::kNone);
  if (count == 0) return logits;
  Tensor wanted(DType::kF32, {count, width}, Fill::kNone);
  float* out = wanted.floats().data();
  for (const int64_t row : rows) {
    out = std::copy_n(x.floats().data() + row * width, width, out);
  }
  Project(norm.weight.empty() ? nullptr : &norm, wanted, {{.linear = head, .y = logits}}, scratch,
          compute);
  return logits;
}

void FinishForward(Batch batch) {
  for (const BatchItem& item : batch) {
    item.memory->Advance(static_cast<int64_t>(item.tokens.size()));
  }
}

}  // namespace tome
