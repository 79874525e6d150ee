// Plain text in any encoding.
//
// The encoding is what a BOM says, else UTF-8 where the bytes are valid UTF-8, else what uchardet
// guesses, checked by decoding; a guess is reported in Document::notes. Chapter lines ("第十二回
// …", "Chapter 4",
// "# …") become sections. Text that is mostly control characters is refused as binary.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

Document ReadText(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
