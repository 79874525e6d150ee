// A document's text in the library: chunks of kTextChunkBytes, each compressed by itself with zstd,
// so that a quote costs one or two chunks whatever the document's length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tome/base/sqlite.h"
#include "tome/documents/document.h"

namespace tome {

inline constexpr uint64_t kTextChunkBytes = uint64_t{64} << 10;

void WriteStoredText(Database& database, int64_t document, std::string_view text);

// The bytes of `span`. Error(kCorrupt) where the library does not hold them whole.
std::string ReadStoredText(Database& database, int64_t document, const TextSpan& span);

}  // namespace tome
