// Whether the lines of a plain text are paragraphs or pieces of paragraphs that were wrapped at a
// width.
#pragma once

#include <string_view>

#include "tome/documents/document.h"

namespace tome {

// kSoft when nearly every line that has another below it in its block was ended because the next
// word would not fit, and few end in punctuation, as those of verse and of lists do; else kHard.
// `text` is a Document's text; a bounded sample of it is looked at.
LineBreaks FindLineBreaks(std::string_view text);

}  // namespace tome
