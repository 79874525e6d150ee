// How the command line words advice. No other place knows which option is which setting.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tome/base/advice.h"
#include "tome/base/error.h"

namespace tome {

// Returns the option of a setting: "--max-tokens" for kMaxTokens.
std::string_view OptionOf(Setting setting);

// Returns "WORDS; lower --passage-tokens or --max-tokens, or use --longer, which reads beyond
// that".
std::string Worded(std::string_view words, std::span<const Advice> advice);
std::string Worded(const Note& note);
std::string Worded(const Error& error);

}  // namespace tome
