// ReadPrompts reads several prompts that begin alike (a long document, then a question each), and
// reads once what they share.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tome/generate/session.h"

namespace tome {

// One prompt's tokens; none of these functions takes an empty prompt.
using PromptTokens = std::span<const TokenId>;

// Returns how many tokens all of the prompts begin with, without the last token of any: a session
// reads at least one token of its own, whose logits choose the first of the answer.
int64_t CommonTokens(std::span<const PromptTokens> prompts);

// Returns the number of tokens of all prompts; tokens that some begin with in common count once.
int64_t DistinctTokens(std::span<const PromptTokens> prompts);

// Returns a session for each prompt, in their order: forks of `base`, which holds at most
// CommonTokens of the tokens that all prompts begin with. Tokens that several prompts have in
// common after these (two questions of three may have their instructions in one language) are read
// once as well. The tokens that each has alone are read in the same passes. Progress and errors are
// those of PrefillTogether.
std::vector<Session> ReadPrompts(const Session& base, std::span<const PromptTokens> prompts,
                                 const WorkControl& control);

}  // namespace tome
