// Short texts written for what they tell: how likely the model finds them, where it attends while
// it writes them, and what a piece of evidence adds to them.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tome/generate/session.h"

namespace tome {

// Context-aware decoding (Shi et al., arXiv 2305.14739): the next token is chosen by
//   (1 + kContrast) ln p(token | with evidence) − kContrast ln p(token | without)
// among the tokens whose p with evidence is at least kPlausible of the largest. Without the latter
// (Li et al., arXiv 2210.15097) a token that both find impossible could win.
inline constexpr double kContrast = 0.5;
inline constexpr double kPlausible = 0.1;

// One text to write. The sessions have read their prompts, are different ones and of one model.
struct ScoredWriting {
  Session* session = nullptr;
  Session* without = nullptr;   // has read the same prompt without the evidence; none: no contrast
  AttentionTap* tap = nullptr;  // gets where the text's tokens attend
  SamplingOptions sampling = {};    // of the contrasted logits, where there is a contrast
  int64_t max_tokens = kAnyLength;  // of this text; the options' bound holds as well
  // Behind so many sentences the text ends (kStop), once another has begun: that is among `tokens`,
  // no part of `text`, and may have gone to the sink. 0: it ends where the model ends it.
  int64_t most_sentences = 0;
};

struct ScoredWritingOptions {
  int64_t max_tokens = 32;  // of each; at least 1
  std::stop_token stop;
};

struct ScoredText {
  std::vector<TokenId> tokens;  // without the end-of-generation token
  std::string text;
  // The mean of ln p(token | all before it), with evidence and without contrast, the
  // end-of-generation token included where there is one.
  double log_probability = 0;
  // The same without evidence; 0 where there was no contrast. Where both are alike the evidence
  // says nothing that the model did not believe before.
  double log_probability_without = 0;
  FinishReason finish = FinishReason::kEnd;
};

// Writes each text until it ends, all of them in the same passes. `sink` gets the text of the first
// one as it is written; it may be empty. Errors as GenerateTogether; Error(kCancelled) when
// stopped.
std::vector<ScoredText> WriteScored(std::span<const ScoredWriting> writings,
                                    const ScoredWritingOptions& options, const TextSink& sink);

}  // namespace tome
