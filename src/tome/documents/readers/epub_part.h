// EpubPartText gives the text of one XML or XHTML part of an EPUB, whatever its encoding.
#pragma once

#include <string>
#include <string_view>

namespace tome {

// Returns `bytes` as UTF-8 without the XML declaration, which may name another encoding. Bytes that
// are well-formed UTF-8 are taken as UTF-8, whatever they declare. Otherwise a BOM, the declaration
// or <meta charset> names the encoding, or it is guessed. Throws Error(kUnsupported), naming
// `part`, for bytes that are no text.
std::string EpubPartText(std::string bytes, std::string_view part);

}  // namespace tome
