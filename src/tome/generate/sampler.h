// A Sampler chooses the next token from a row of logits.
//
// The steps come in this order: a mask, where there is one (token_mask.h); repetition penalty
// (Keskar et al., 2019: of the tokens among the last `repetition_window`, a positive logit is
// divided by the penalty and a negative one multiplied); temperature; top-k; top-p (Holtzman et
// al., 2020); min-p (Nguyen et al., 2024); then a draw. Temperature 0 is greedy: it takes the
// largest logit after the penalty, and the lowest id among equals.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tome/generate/token_mask.h"
#include "tome/text/tokenizer.h"

namespace tome {

struct SamplingOptions {
  double temperature = 0;          // 0: greedy
  int64_t top_k = 0;               // 0: all
  double top_p = 1;                // smallest set of tokens with at least this share; 1: all
  double min_p = 0;                // share of the likeliest token's probability; 0: all
  double repetition_penalty = 1;   // 1: no penalty
  int64_t repetition_window = 64;  // last tokens that the penalty looks at
  uint64_t seed = 0;

  bool greedy() const { return temperature == 0; }
};

// Throws Error(kInvalidArgument), which names the option, for a value without meaning.
void CheckSamplingOptions(const SamplingOptions& options);

// The same options, seed and logits give the same tokens on every machine. One thread at a time.
class Sampler {
 public:
  explicit Sampler(const SamplingOptions& options);

  // Chooses a token by `logits`, a row of the model. Ids at or above `usable` (rows that pad the
  // embedding) are never chosen. `history` holds all tokens so far, for the repetition penalty.
  // Only tokens of `allowed` are chosen; null allows all. Throws Error(kCorrupt) when no such logit
  // is a finite number: the model's weights are damaged.
  TokenId Next(std::span<const float> logits, int64_t usable, std::span<const TokenId> history,
               const TokenSet* allowed = nullptr);

 private:
  double Uniform();  // [0, 1)

  SamplingOptions options_;
  uint64_t state_;  // of SplitMix64
  std::vector<float> scores_;
  std::vector<TokenId> candidates_;
};

}  // namespace tome
