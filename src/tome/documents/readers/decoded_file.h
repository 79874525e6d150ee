// DecodeFile gives the text of a file in any encoding as UTF-8. It is the first step of every
// reader of a text format.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/documents/reader.h"

namespace tome {

struct DecodedFile {
  std::string encoding;     // canonical name (text/encoding.h)
  std::string_view utf8;    // the file's own bytes, or `converted`; perhaps ill-formed
  std::string converted;    // empty where the file is UTF-8
  std::vector<Note> notes;  // for the user, about the encoding

  DecodedFile() = default;
  DecodedFile(const DecodedFile&) = delete;  // `utf8` may point into `converted`
  DecodedFile& operator=(const DecodedFile&) = delete;
};

// Takes the first encoding that is there: the one that options.encoding names; the one that a BOM
// names; `declared`, any name that the format itself gives (<meta charset>, for example), where the
// bytes bear it out; the result of DetectEncoding. Throws Error: kInvalidArgument for an unknown
// options.encoding, kUnsupported for bytes that are not text, kOutOfMemory when the converted text
// is far past kMaxTextBytes. `bytes` must outlive `file`.
void DecodeFile(std::string_view bytes, const ReadOptions& options,
                std::optional<std::string_view> declared, DecodedFile& file);

}  // namespace tome
