// Reads a question about texts and a plain reply to it with a tap on the model's attention, so that
// sentences can be ranked by where the model looks (compare QRHead, Zhang et al., arXiv 2506.09944,
// for the question, and AT2, Cohen-Wang et al., arXiv 2504.13752, for the reply).
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

// Where the texts that are ranked stand in a prompt's tokens. Spans of no token are those of texts
// that could not be found there: nothing is measured for any then.
struct TappedPrompt {
  std::span<const TokenId> tokens;
  std::vector<PositionSpan> texts;
  int64_t question_begin = 0;  // position of the question's first token
};

// Finds `texts`, which follow each other in the prompt's text with other text between them, and the
// question's last place. Nothing where one of them does not stand there as it is.
std::optional<TappedPrompt> LocateIn(const Tokenizer& tokenizer, std::span<const TokenId> tokens,
                                     std::span<const std::string_view> texts,
                                     std::string_view question);

// A tap for the texts of a prompt.
AttentionTap TapOf(const TappedPrompt& prompt, std::span<const AttentionHead> heads);

// By text, the attention of all heads.
std::vector<double> SumOfHeads(const AttentionTap& tap);

// The heads that a tap can be put on; none where the model does not attend to every token.
std::vector<AttentionHead> HeadsOf(const ModelFacts& facts);

// Measures `question` and `answer`: the attention of `heads` from the question, and from a
// provisional reply, to each sentence. `texts` are the sentences as they stand in the documents,
// `base` holds the beginning of `prompt`, which shows them to the model, and is left as it was.
// False where the sentences cannot be found among the prompt's tokens, or there are no heads.
bool ScoreAttention(const LanguageModel& model, std::span<const AttentionHead> heads,
                    std::string_view question, const Session& base, std::span<const TokenId> prompt,
                    std::span<const std::string_view> texts,
                    std::vector<EvidenceSentence>& sentences, ComputedTokens& computed,
                    const WorkControl& control);

}  // namespace tome
