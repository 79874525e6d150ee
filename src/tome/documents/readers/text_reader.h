// Plain text in any encoding.
//
// The encoding is what a BOM says, else UTF-8 where the bytes are valid UTF-8, else what uchardet
// guesses, checked by decoding; a guess is reported in Document::notes. Bytes with a NUL (outside
// UTF-16 and UTF-32) or many control characters are refused as binary, and a file of nothing but
// white space as holding no text: Error(kUnsupported) both.
//
// Lines keep their indentation and lose white space at their end; any number of empty lines is one.
// Document::line_breaks is kSoft where the text is wrapped at a width. Chapter lines ("第十二回 …",
// "Chapter 4"; chapter_lines.h) become sections. Peak memory is about three times the text.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

Document ReadText(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
