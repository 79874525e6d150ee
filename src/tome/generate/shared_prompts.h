// Several prompts that begin alike (a long document, then a question each), read so that what they
// share is read once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tome/generate/session.h"

namespace tome {

// One prompt's tokens; none of these functions takes an empty prompt.
using PromptTokens = std::span<const TokenId>;

// Tokens that all of the prompts begin with, without the last token of any: a session reads at
// least one token of its own, whose logits choose the first of the answer.
int64_t CommonTokens(std::span<const PromptTokens> prompts);

// Tokens of all prompts, those that some begin with in common counted once.
int64_t DistinctTokens(std::span<const PromptTokens> prompts);

// A session for each prompt, in their order: forks of `base`, which holds tokens that all prompts
// begin with, CommonTokens of them at most. What several of the prompts have in common behind these
// (two questions of three may have their instructions in one language) is read once as well; what
// each has alone is read in the same passes. Progress and errors as PrefillTogether.
std::vector<Session> ReadPrompts(const Session& base, std::span<const PromptTokens> prompts,
                                 const WorkControl& control);

}  // namespace tome
