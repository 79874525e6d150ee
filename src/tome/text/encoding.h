// Character encodings: their names and the conversion to UTF-8, by ICU.
//
// A name given by a user, a BOM, an HTML declaration or a detector first becomes one canonical
// name; all other functions take canonical names only. As on the web, a name that files use for a
// superset means the superset, so that one rare character does not spoil a text: GB2312 and GBK
// mean GB18030, ISO-8859-1 and ASCII mean windows-1252, EUC-KR means windows-949.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tome {

// Returns the canonical name ("UTF-8", "UTF-16LE", "GB18030", "windows-1252") of an encoding that
// ICU can convert. Empty for an unknown name. Case, '-' and '_' do not matter.
std::optional<std::string> CanonicalEncoding(std::string_view name);

// Does the same as CanonicalEncoding, but throws Error(kInvalidArgument), with examples, for an
// unknown name.
std::string RequireEncoding(std::string_view name);

struct Decoded {
  std::string utf8;
  uint64_t errors = 0;  // invalid sequences; each became U+FFFD
};

// Converts `bytes` from `encoding` (a canonical name) to UTF-8. A BOM is kept as U+FEFF. Throws
// Error(kOutOfMemory) where the result would exceed `max_bytes`.
Decoded DecodeToUtf8(std::string_view bytes, const std::string& encoding, uint64_t max_bytes);

}  // namespace tome
