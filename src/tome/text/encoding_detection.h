// Finds the encoding of a text, and whether it is text at all.
//
// The evidence is tried in this order: a BOM; UTF-16 without a BOM, known by its line ends, spaces
// and full stops; well-formed UTF-8 without ISO-2022's escape sequences; UTF-8 with a few damaged
// places; plain GB2312; uchardet's guess and then the other encodings of East Asia, each confirmed
// by decoding; windows-1252. Only the checks for UTF-8 and ISO-2022 read all bytes; the others look
// at a bounded sample, so that a file of hundreds of MiB stays cheap.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tome {

struct DetectedEncoding {
  std::string name;       // canonical (text/encoding.h)
  bool is_guess = false;  // neither a BOM nor well-formed UTF-8 proves it
};

// Returns the encoding that a byte order mark names. Empty without one.
std::optional<std::string> EncodingOfBom(std::string_view bytes);

DetectedEncoding DetectEncoding(std::string_view bytes);

// Returns false where a sample of `bytes` has many sequences that are invalid in `encoding` (a
// canonical name): the declaration or guess is wrong.
bool DecodesWell(std::string_view bytes, const std::string& encoding);

// Returns true for a NUL byte anywhere or a sample with many control characters. Such bytes are not
// text in any encoding that uses ASCII's control characters as ASCII does. Do not call it for
// UTF-16 or UTF-32, where NUL bytes are normal.
bool LooksBinary(std::string_view bytes);

}  // namespace tome
