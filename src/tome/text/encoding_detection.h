// Which encoding a text is in, and whether it is text at all.
//
// In this order: a BOM; UTF-8 where the bytes are well formed (or nearly, in a damaged file);
// UTF-16 without a BOM, known by its line ends, spaces and full stops; what uchardet guesses and
// decoding confirms. Everything after the UTF-8 check looks at a bounded sample of the bytes, so a
// file of hundreds of MiB costs one pass.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tome {

struct DetectedEncoding {
  std::string name;       // canonical (text/encoding.h)
  bool is_guess = false;  // neither a BOM nor well-formed UTF-8 says so
};

// By a byte order mark alone.
std::optional<std::string> EncodingOfBom(std::string_view bytes);

DetectedEncoding DetectEncoding(std::string_view bytes);

// False when a sample of `bytes` has many sequences without meaning in `encoding` (a canonical
// name): the declaration or guess is wrong.
bool DecodesWell(std::string_view bytes, const std::string& encoding);

// True for bytes that are not text in any encoding which uses ASCII's control characters as ASCII
// does: a NUL byte anywhere, or a sample with many control characters. Do not ask it about UTF-16
// or UTF-32, where NUL bytes are normal.
bool LooksBinary(std::string_view bytes);

}  // namespace tome
