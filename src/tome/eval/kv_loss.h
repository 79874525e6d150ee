// Measures what a model loses when its keys and values are kept in fewer bits. It compares the
// model's next-token distributions along a text with memories of several types.
#pragma once

#include <span>
#include <vector>

#include "tome/base/progress.h"
#include "tome/measurements/kv_loss.h"
#include "tome/models/model.h"
#include "tome/text/tokenizer.h"

namespace tome {

// Returns Σ p (log p − log q) of the softmaxes p of `exact` and q of `other`, in nats and in double
// precision. It is at least 0. Both spans have the size of the vocabulary.
double KlDivergence(std::span<const float> exact, std::span<const float> other);

struct KvLosses {
  KvLoss exact;                // the model's 16-bit memory against itself: no divergence
  std::vector<KvLoss> losses;  // of the requested types, in their order
};

// Reads `tokens` once, in passes that hold the logits of few tokens each. The first kKvPartTokens
// tokens do not count, because a memory of few bits reads them in 16 bits (memory/paged_kv.h).
// Throws Error(kInvalidArgument) for fewer than kLeastLossTokens tokens and for a model without
// keys and values, Error(kCorrupt) where logits are not numbers, the errors of Model::Forward, and
// Error(kCancelled).
inline constexpr int64_t kLeastLossTokens = 2 * kKvPartTokens;
KvLosses MeasureKvLoss(const Model& model, const Compute& compute, std::span<const TokenId> tokens,
                       std::span<const KvType> types, const WorkControl& control);

}  // namespace tome
