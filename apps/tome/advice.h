// How the command line words advice: the one place that knows which option is which setting.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tome/base/advice.h"
#include "tome/base/error.h"

namespace tome {

// "--max-tokens" of kMaxTokens.
std::string_view OptionOf(Setting setting);

// "WORDS; lower --passage-tokens or --max-tokens, or use --longer, which reads beyond that".
std::string Worded(std::string_view words, std::span<const Advice> advice);
std::string Worded(const Note& note);
std::string Worded(const Error& error);

}  // namespace tome
