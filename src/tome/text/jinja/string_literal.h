// Escapes in the string literals of templates, which are Python's.
#pragma once

#include <string>
#include <string_view>

namespace tome::jinja {

// Resolves the escapes of `inner`, the text between the quotes. An unknown escape stays unchanged.
// Throws Error(kCorrupt) for a malformed escape, for surrogates and for \N{…}, which no published
// template uses.
std::string ResolveEscapes(std::string_view inner);

}  // namespace tome::jinja
