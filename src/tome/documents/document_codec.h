// EncodeDocument and DecodeDocument carry a Document over the pipe between the reader process and
// Tome.
//
// The bytes have this layout:
//
//   "TOMEDOC1"
//   8 bytes     the length of the header, little-endian
//   the header  JSON: format, encoding, title, line_breaks, pages as [begin, end, label],
//               sections as [title, level, parent, begin, end],
//               notes as [text, advice] (advice_json.h), text_bytes
//   the text
#pragma once

#include <string>
#include <string_view>

#include "tome/documents/document.h"

namespace tome {

std::string EncodeDocument(const Document& document);

// Reverses EncodeDocument. The bytes come from a process that read untrusted input, so they are not
// trusted either. Throws Error(kCorrupt) for malformed bytes, for a document past the limits of
// limits.h, and where CheckDocument does.
Document DecodeDocument(std::string_view bytes);

}  // namespace tome
