// Character encodings: their names and the conversion to UTF-8, by ICU.
//
// A name given by a user, a BOM, an HTML declaration or a detector becomes one canonical name
// first; everything else takes canonical names only. As on the web, a name that files use for a
// superset means the superset: GB2312 and GBK are GB18030, ISO-8859-1 and ASCII are windows-1252,
// EUC-KR is windows-949, so that one rare character does not spoil a text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tome {

// The canonical name ("UTF-8", "UTF-16LE", "GB18030", "windows-1252") of an encoding that can be
// converted, or nothing for an unknown name. Case, '-' and '_' do not matter.
std::optional<std::string> CanonicalEncoding(std::string_view name);

// CanonicalEncoding, but throws Error(kInvalidArgument), with examples, for an unknown name.
std::string RequireEncoding(std::string_view name);

struct Decoded {
  std::string utf8;
  uint64_t errors = 0;  // sequences without meaning in the encoding; each became U+FFFD
};

// `bytes`, which are in `encoding` (a canonical name), as UTF-8. A BOM is kept as U+FEFF. Throws
// Error(kOutOfMemory) when the result would exceed `max_bytes`.
Decoded DecodeToUtf8(std::string_view bytes, const std::string& encoding, uint64_t max_bytes);

}  // namespace tome
