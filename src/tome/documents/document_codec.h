// A Document as bytes, for the pipe between the reader process and Tome.
//
// Layout: "TOMEDOC1", the length of the header as 8 bytes little-endian, the header (JSON: format,
// encoding, title, line_breaks, pages as [begin, end, label], sections as [title, level, parent,
// begin, end], notes as [text, advice] (advice_json.h), text_bytes), then the text.
#pragma once

#include <string>
#include <string_view>

#include "tome/documents/document.h"

namespace tome {

std::string EncodeDocument(const Document& document);

// The reverse. The bytes come from a process that read untrusted input and are not trusted either:
// all promises of Document are checked. Error(kCorrupt) otherwise.
Document DecodeDocument(std::string_view bytes);

}  // namespace tome
