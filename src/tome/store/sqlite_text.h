// Stores the texts of documents in the table `texts`. A text is cut into chunks of kTextChunkBytes, and
// zstd compresses each chunk by itself. So a quote costs one or two chunks, however long the
// document is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tome/base/sqlite.h"
#include "tome/documents/document.h"

namespace tome {

inline constexpr uint64_t kTextChunkBytes = uint64_t{64} << 10;

void WriteStoredText(Database& database, int64_t document, std::string_view text);

// Returns the bytes of `span`. Throws Error(kCorrupt) where the library does not hold all of them.
std::string ReadStoredText(Database& database, int64_t document, const TextSpan& span);

}  // namespace tome
