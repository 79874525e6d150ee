// Escapes in the string literals of templates, which are those of Python.
#pragma once

#include <string>
#include <string_view>

namespace tome::jinja {

// `inner`, what stands between the quotes, with its escapes resolved. An unknown escape stays as it
// is. Throws Error(kCorrupt) for a malformed one, for surrogates and for \N{…}, which need not be
// supported: no published template uses it.
std::string ResolveEscapes(std::string_view inner);

}  // namespace tome::jinja
