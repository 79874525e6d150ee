#include "tome/store/sqlite_text.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>

#include "tome/base/error.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

// The fastest level already halves text, and half the bytes are read faster.
constexpr int kLevel = 1;

[[noreturn]] void FailCorrupt(const Database& database, int64_t document) {
  throw Error(Code::kCorrupt,
              fmt::format("{}: the text of document {} is damaged; remove it from the "
                          "library and add it again",
                          database.path(), document));
}

}  // namespace

void WriteStoredText(Database& database, int64_t document, std::string_view text) {
  Statement insert = database.Prepare("INSERT INTO texts VALUES(?1, ?2, ?3)");
  std::string packed(ZSTD_compressBound(kTextChunkBytes), '\0');
  for (uint64_t offset = 0; offset < text.size(); offset += kTextChunkBytes) {
    const std::string_view chunk = text.substr(offset, kTextChunkBytes);
    const size_t size =
        ZSTD_compress(packed.data(), packed.size(), chunk.data(), chunk.size(), kLevel);
    TOME_CHECK(ZSTD_isError(size) == 0);
    insert.Bind(1, document)
        .Bind(2, static_cast<int64_t>(offset / kTextChunkBytes))
        .BindBlob(3, std::string_view(packed).substr(0, size))
        .Run();
  }
}

std::string ReadStoredText(Database& database, int64_t document, const TextSpan& span) {
  // No document is that long, so the span comes from a damaged row.
  if (span.begin > span.end || span.end > kMaxTextBytes) FailCorrupt(database, document);
  std::string text;
  if (span.size() == 0) return text;
  text.reserve(span.size());
  Statement select = database.Prepare(
      "SELECT chunk, bytes FROM texts WHERE document = ?1 AND chunk BETWEEN ?2 AND ?3 ORDER BY "
      "chunk");
  const uint64_t first = span.begin / kTextChunkBytes;
  const uint64_t last = (span.end - 1) / kTextChunkBytes;
  select.Bind(1, document).Bind(2, static_cast<int64_t>(first)).Bind(3, static_cast<int64_t>(last));
  std::string chunk;
  uint64_t expected = first;
  while (select.Step()) {
    const auto number = static_cast<uint64_t>(select.Int(0));
    const std::string_view packed = select.Blob(1);
    if (number != expected++) FailCorrupt(database, document);
    chunk.resize(kTextChunkBytes);
    const size_t size = ZSTD_decompress(chunk.data(), chunk.size(), packed.data(), packed.size());
    if (ZSTD_isError(size) != 0) FailCorrupt(database, document);
    const uint64_t start = number * kTextChunkBytes;
    const uint64_t begin = std::max(span.begin, start) - start;
    const uint64_t end = std::min(span.end - start, kTextChunkBytes);
    if (end > size || begin > end) FailCorrupt(database, document);
    text.append(chunk, begin, end - begin);
  }
  if (text.size() != span.size()) FailCorrupt(database, document);
  return text;
}

}  // namespace tome
