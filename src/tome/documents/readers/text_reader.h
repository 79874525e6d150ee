// ReadText reads plain text in any encoding.
//
// The encoding is options.encoding, else a BOM's, else UTF-8 where the bytes are valid UTF-8, else
// a guess of uchardet, checked by decoding. A guess is reported in Document::notes. Throws
// Error(kUnsupported) for binary data (bytes with a NUL, outside UTF-16 and UTF-32, or with many
// control characters), and for a file of nothing but white space, which holds no text.
//
// Lines keep their indentation and lose white space at their end. Any number of empty lines becomes
// one. Document::line_breaks is kSoft where the text is wrapped at a width. Chapter lines
// ("第十二回 …", "Chapter 4"; chapter_lines.h) become sections. Peak memory is about three times
// the text.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

Document ReadText(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
