// The text of a file in any encoding as UTF-8: the first step of every reader of a text format.
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
  std::vector<Note> notes;  // what the reader should be told about the encoding

  DecodedFile() = default;
  DecodedFile(const DecodedFile&) = delete;  // `utf8` may point into `converted`
  DecodedFile& operator=(const DecodedFile&) = delete;
};

// The encoding is the one that options.encoding names, else what a BOM says, else `declared` (by
// the format itself, say <meta charset>; any name) where the bytes bear it out, else what
// DetectEncoding finds. Throws Error: kInvalidArgument for an unknown options.encoding,
// kUnsupported for bytes that are not text, kOutOfMemory when the text is far past kMaxTextBytes.
// `bytes` must outlive `file`.
void DecodeFile(std::string_view bytes, const ReadOptions& options,
                std::optional<std::string_view> declared, DecodedFile& file);

}  // namespace tome
