// Cuts the source of a template into tokens, as Jinja does with trim_blocks and lstrip_blocks on
// and keep_trailing_newline off, which are the settings of transformers for chat templates.
//
// - "\r\n" and "\r" are read as "\n"; one line end at the end of the source is dropped.
// - A line end right after a block or a comment is dropped, and so is white space between the start
//   of a line and a block or comment. "+" inside the tag keeps them; "-" strips all white space.
// - {% raw %} … {% endraw %} is data.
#pragma once

#include <string_view>
#include <vector>

#include "tome/text/jinja/token.h"

namespace tome::jinja {

// Returns the tokens, of which the last is kEnd. Throws Error(kCorrupt) with the line.
std::vector<Token> Tokenize(std::string_view source);

}  // namespace tome::jinja
