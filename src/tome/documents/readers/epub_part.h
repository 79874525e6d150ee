// The text of one XML or XHTML part of an EPUB, whatever its encoding.
#pragma once

#include <string>
#include <string_view>

namespace tome {

// `bytes` as UTF-8, without XML declaration (it may name another encoding). What is well-formed
// UTF-8 is taken as that, whatever it declares; else a BOM, the declaration or <meta charset> says
// it, else it is guessed. Throws Error(kUnsupported) for bytes that are no text, naming `part`.
std::string EpubPartText(std::string bytes, std::string_view part);

}  // namespace tome
