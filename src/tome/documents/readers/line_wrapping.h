// FindLineBreaks tells whether the lines of a plain text are paragraphs or pieces of paragraphs
// that were wrapped at a width.
#pragma once

#include <string_view>

#include "tome/documents/document.h"

namespace tome {

// Returns kSoft when at least 70 % of the lines with another line below them in their block ended
// because the next word would not fit, and at most half of them end in punctuation, as verse and
// lists do; else kHard. Too few or too wide lines are kHard as well. `text` is a Document's text; a
// bounded sample of it is read.
LineBreaks FindLineBreaks(std::string_view text);

}  // namespace tome
