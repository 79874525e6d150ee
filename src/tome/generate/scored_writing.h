// WriteScored writes short texts and says how likely the model finds them, where it attends while
// it writes them, and how much a piece of evidence adds to them.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "tome/generate/session.h"

namespace tome {

// Context-aware decoding (Shi et al., arXiv 2305.14739) chooses the next token by
//   (1 + kContrast) ln p(token | with evidence) − kContrast ln p(token | without)
// among the tokens whose p with evidence is at least kPlausible of the largest. Without this bound
// (Li et al., arXiv 2210.15097) a token could win that is impossible both with and without
// evidence.
inline constexpr double kContrast = 0.5;
inline constexpr double kPlausible = 0.1;

// One text to write. All sessions are different ones of one model, and have read their prompts.
struct ScoredWriting {
  Session* session = nullptr;
  Session* without = nullptr;       // has read the prompt without the evidence; null: no contrast
  AttentionTap* tap = nullptr;      // records where the text's tokens attend; may be null
  SamplingOptions sampling = {};    // of the contrasted logits, where there is a contrast
  int64_t max_tokens = kAnyLength;  // of this text, and at most ScoredWritingOptions::max_tokens
  // Most sentences of the text. It ends (kStop) once another sentence has begun, whose tokens are
  // among `tokens`, but not in `text`, and may have gone to the sink. 0: the text ends where the
  // model ends it.
  int64_t most_sentences = 0;
};

struct ScoredWritingOptions {
  int64_t max_tokens = 32;  // of each text; at least 1
  std::stop_token stop;
};

struct ScoredText {
  std::vector<TokenId> tokens;  // without the end-of-generation token
  std::string text;
  // The mean of ln p(token | all before it), with evidence and without contrast. The
  // end-of-generation token counts where there is one.
  double log_probability = 0;
  // The same mean without evidence; 0 where there was no contrast. Where both are alike, the
  // evidence says nothing that the model did not believe before.
  double log_probability_without = 0;
  FinishReason finish = FinishReason::kEnd;
};

// Writes each text until it ends, all of them in the same passes. `sink` gets the first text as it
// is written; it may be empty. Throws what GenerateTogether throws, and Error(kCancelled) when
// stopped.
std::vector<ScoredText> WriteScored(std::span<const ScoredWriting> writings,
                                    const ScoredWritingOptions& options, const TextSink& sink);

}  // namespace tome
