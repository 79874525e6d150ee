// A text that no model has read, and questions about it in other words than its own. The ability of
// a model is tested on it (ability.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tome/answer/prompt.h"

namespace tome {

struct SyntheticFact {
  std::string_view sentence;
  std::string_view question;
  std::string_view answer;  // a right reply holds it, in upper or lower case
};

// Returns 24 facts, which read as one passage together.
std::span<const SyntheticFact> SyntheticFacts(PromptLanguage language);

// Returns about `characters` characters of other sentences of the same kind, none of which answers
// any of the questions. It returns the same text every time.
std::string SyntheticFiller(PromptLanguage language, int64_t characters);

}  // namespace tome
