// What a model loses when its keys and values are kept in fewer bits: its next-token distributions
// along a text, with memories of several types side by side.
#pragma once

#include <span>
#include <vector>

#include "tome/base/progress.h"
#include "tome/library/kv_loss.h"
#include "tome/models/model.h"
#include "tome/text/tokenizer.h"

namespace tome {

// Σ p (log p − log q) of the softmaxes p of `exact` and q of `other`, in nats and in double
// precision; at least 0. Both have the vocabulary's size.
double KlDivergence(std::span<const float> exact, std::span<const float> other);

struct KvLosses {
  KvLoss exact;                // of the model's 16-bit memory against itself: no divergence
  std::vector<KvLoss> losses;  // of the types asked for, in their order
};

// Reads `tokens` once, in passes that hold the logits of few tokens each, and counts those behind
// the first part of kKvPartTokens, which a memory of few bits reads in 16 (memory/paged_kv.h).
// Error(kInvalidArgument) for fewer than kLeastLossTokens tokens, and for a model without keys and
// values; Error(kCorrupt) where logits are
// no numbers; Model::Forward's; kCancelled.
inline constexpr int64_t kLeastLossTokens = 2 * kKvPartTokens;
KvLosses MeasureKvLoss(const Model& model, const Compute& compute, std::span<const TokenId> tokens,
                       std::span<const KvType> types, const WorkControl& control);

}  // namespace tome
