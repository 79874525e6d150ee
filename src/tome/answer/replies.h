// Short replies of a model to one question from several texts, side by side; and where it attends
// while it reads a question about a text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/prompt.h"
#include "tome/base/progress.h"
#include "tome/generate/language_model.h"
#include "tome/generate/scored_writing.h"
#include "tome/generate/session.h"

namespace tome {

// The tokens of a message to the model, up to where it replies, with `opening` as the beginning of
// the reply.
std::vector<TokenId> EncodeMessage(const LanguageModel& model, std::string_view message,
                                   std::string_view opening = {});

// A session that has read nothing, for prompts of up to `tokens` tokens with what is written.
Session NewSession(const LanguageModel& model, int64_t tokens);

// Sessions that have read the prompts, what these begin with in common once.
std::vector<Session> ReadEach(const LanguageModel& model,
                              std::span<const std::vector<TokenId>> prompts, int64_t new_tokens,
                              const WorkControl& control);

// The replies to prompts, written greedily, all in the same passes.
std::vector<ScoredText> ReplyToEach(const LanguageModel& model,
                                    std::span<const std::vector<TokenId>> prompts,
                                    int64_t max_tokens, const WorkControl& control);

}  // namespace tome
