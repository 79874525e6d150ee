// Reads a question about texts, and writes a plain reply to it, with a tap on the model's
// attention. The attention ranks sentences by where the model looks. For the question compare
// QRHead (Zhang et al., arXiv 2506.09944), for the reply AT2 (Cohen-Wang et al., arXiv 2504.13752).
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "tome/answer/answer_model.h"
#include "tome/answer/evidence.h"
#include "tome/base/progress.h"
#include "tome/generate/language_model.h"
#include "tome/generate/session.h"
#include "tome/generate/token_positions.h"
#include "tome/models/attention_tap.h"

namespace tome {

// The places of the ranked texts in a prompt's tokens. A span is empty where all tokens of its text
// belong to the text before it; such a text gets no attention.
struct TappedPrompt {
  std::span<const TokenId> tokens;
  std::vector<PositionSpan> texts;
  int64_t question_begin = 0;  // position of the question's first token
};

// Finds `texts`, which follow each other in the prompt's text with other text between them, and the
// last place of the question. Empty where one of them does not stand there unchanged.
std::optional<TappedPrompt> LocateIn(const Tokenizer& tokenizer, std::span<const TokenId> tokens,
                                     std::span<const std::string_view> texts,
                                     std::string_view question);

// Returns a tap with the heads `heads` for the texts of a prompt.
AttentionTap TapOf(const TappedPrompt& prompt, std::span<const AttentionHead> heads);

// Returns for each text the sum of the attention of all heads.
std::vector<double> SumOfHeads(const AttentionTap& tap);

// Returns the heads that can be tapped. Empty where the model keeps no keys and values of all
// tokens (ModelFacts::has_whole_kv).
std::vector<AttentionHead> HeadsOf(const ModelFacts& facts);

// Measures `question` and `answer` of each sentence: the attention of `heads` from the question,
// and from a provisional reply. `texts` are the sentences as they stand in the documents. `prompt`
// shows them to the model. `base` holds the beginning of `prompt` and stays as it is. Returns false
// where `heads` is empty or the sentences cannot be found among the prompt's tokens.
bool ScoreAttention(const LanguageModel& model, std::span<const AttentionHead> heads,
                    std::string_view question, const Session& base, std::span<const TokenId> prompt,
                    std::span<const std::string_view> texts,
                    std::vector<EvidenceSentence>& sentences, ComputedTokens& computed,
                    const WorkControl& control);

}  // namespace tome
