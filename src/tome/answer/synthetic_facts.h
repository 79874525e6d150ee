// A text that no model has read, with questions about it in other words than its own: what a model
// can do is tried on it (ability.h).
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
  std::string_view answer;  // a right reply holds it, whatever the case of its letters
};

// 24 facts, which together read as one passage.
std::span<const SyntheticFact> SyntheticFacts(PromptLanguage language);

// About `characters` characters of other sentences of the same kind, none of which answers any of
// the questions. The same every time.
std::string SyntheticFiller(PromptLanguage language, int64_t characters);

}  // namespace tome
