#include "tome/store/sqlite_vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <string>

#include "tome/base/error.h"
#include "tome/base/utc_time.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

static_assert(std::endian::native == std::endian::little, "blobs are little-endian");
static_assert(kMaxTextBytes <= UINT32_MAX, "spans are stored in 32 bits");

constexpr std::string_view kVectorTables = R"(
  CREATE TABLE embedders(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,      -- of the model's files and the version of the windows
    name TEXT NOT NULL,
    width INTEGER NOT NULL,        -- numbers of a vector
    added_at TEXT NOT NULL);       -- UTC, ISO 8601
  CREATE TABLE windows(
    embedder INTEGER NOT NULL, document INTEGER NOT NULL,
    first INTEGER NOT NULL, count INTEGER NOT NULL,
    total INTEGER NOT NULL,        -- windows of the whole document
    spans BLOB NOT NULL, scales BLOB NOT NULL, vectors BLOB NOT NULL,
    PRIMARY KEY(embedder, document, first));
  CREATE INDEX windows_by_document ON windows(document);
)";

template <typename Value>
std::string_view BytesOf(std::span<const Value> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

std::vector<uint32_t> EncodeSpans(std::span<const TextSpan> spans) {
  std::vector<uint32_t> numbers;
  numbers.reserve(2 * spans.size());
  for (const TextSpan& span : spans) {
    TOME_CHECK(span.begin <= span.end && span.end <= kMaxTextBytes);
    numbers.push_back(static_cast<uint32_t>(span.begin));
    numbers.push_back(static_cast<uint32_t>(span.end));
  }
  return numbers;
}

// Copies a blob, whose address need not be aligned. Returns false where its size is another one.
template <typename Value>
bool Decode(std::string_view blob, int64_t count, std::vector<Value>& values) {
  if (count < 0 || blob.size() != static_cast<size_t>(count) * sizeof(Value)) return false;
  values.resize(static_cast<size_t>(count));
  std::memcpy(values.data(), blob.data(), blob.size());
  return true;
}

// Holds the row that a statement stands at.
class DecodedRow {
 public:
  // Returns false for a damaged row. The columns are document, first, count, total, spans, scales
  // and vectors.
  bool Load(const Statement& select, int64_t width) {
    const int64_t count = select.Int(2);
    if (count < 1 || count > kMaxRowWindows || !Decode(select.Blob(4), 2 * count, numbers_) ||
        !Decode(select.Blob(5), count, scales_) || !Decode(select.Blob(6), count * width, vectors_))
      return false;
    spans_.clear();
    for (size_t i = 0; i < numbers_.size(); i += 2) {
      if (numbers_[i] > numbers_[i + 1]) return false;
      spans_.push_back({.begin = numbers_[i], .end = numbers_[i + 1]});
    }
    row_ = {.document = select.Int(0),
            .first = select.Int(1),
            .total = select.Int(3),
            .spans = spans_,
            .vectors = vectors_,
            .scales = scales_};
    return row_.first >= 0 && row_.first + count <= row_.total;
  }

  const VectorRow& row() const { return row_; }

 private:
  std::vector<uint32_t> numbers_;
  std::vector<TextSpan> spans_;
  std::vector<float> scales_;
  std::vector<int8_t> vectors_;
  VectorRow row_;
};

}  // namespace

void SqliteVectors::CreateTables(Database& database) { database.Exec(std::string(kVectorTables)); }

EmbedderId SqliteVectors::Register(std::string_view key, std::string_view name, int64_t width) {
  TOME_CHECK(width > 0);
  Statement select = database_.Prepare("SELECT id, width FROM embedders WHERE key = ?1");
  bool known = select.Bind(1, key).Step();
  if (!known) {
    // Only a new embedder is a change, so that a search does not wait for those who write.
    const std::string added_at = UtcNow();
    database_.Prepare("INSERT OR IGNORE INTO embedders VALUES(NULL, ?1, ?2, ?3, ?4)")
        .Bind(1, key)
        .Bind(2, name)
        .Bind(3, width)
        .Bind(4, std::string_view(added_at))
        .Run();
    known = select.Bind(1, key).Step();
  }
  if (!known || select.Int(1) != width) {
    throw Error(Code::kCorrupt,
                fmt::format("{}: the embedder {} is kept with vectors of another width than {}; "
                            "drop it and embed again",
                            database_.path(), name, width));
  }
  return select.Int(0);
}

std::vector<EmbedderRecord> SqliteVectors::Embedders() {
  Statement select =
      database_.Prepare("SELECT id, key, name, width, added_at FROM embedders ORDER BY id");
  std::vector<EmbedderRecord> records;
  while (select.Step()) {
    records.push_back({.id = select.Int(0),
                       .key = std::string(select.Text(1)),
                       .name = std::string(select.Text(2)),
                       .width = select.Int(3),
                       .added_at = std::string(select.Text(4))});
  }
  return records;
}

void SqliteVectors::Drop(EmbedderId embedder) {
  std::optional<Transaction> own;
  if (!database_.InTransaction()) own.emplace(database_);
  database_.Prepare("DELETE FROM windows WHERE embedder = ?1").Bind(1, embedder).Run();
  database_.Prepare("DELETE FROM embedders WHERE id = ?1").Bind(1, embedder).Run();
  if (own) own->Commit();
}

int64_t SqliteVectors::WidthOf(EmbedderId embedder) {
  Statement select = database_.Prepare("SELECT width FROM embedders WHERE id = ?1");
  if (!select.Bind(1, embedder).Step()) {
    throw Error(Code::kNotFound,
                fmt::format("{}: the embedder {} was dropped", database_.path(), embedder));
  }
  return select.Int(0);
}

VectorProgress SqliteVectors::Put(EmbedderId embedder, const VectorRow& row) {
  const auto count = std::ssize(row.spans);
  TOME_CHECK(count >= 1 && count <= kMaxRowWindows && row.first >= 0 &&
             row.first + count <= row.total);
  std::optional<Transaction> own;
  if (!database_.InTransaction()) own.emplace(database_);
  const int64_t width = WidthOf(embedder);
  TOME_CHECK(std::ssize(row.scales) == count && std::ssize(row.vectors) == count * width);
  Statement document = database_.Prepare("SELECT 1 FROM documents WHERE id = ?1");
  if (!document.Bind(1, row.document).Step()) {
    FailUnknownDocument(fmt::format("#{}", row.document));
  }
  VectorProgress progress = ProgressOf(embedder, row.document);
  if (row.first != progress.stored || (progress.total && row.total != *progress.total)) {
    return progress;
  }
  const std::vector<uint32_t> spans = EncodeSpans(row.spans);
  database_.Prepare("INSERT INTO windows VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
      .Bind(1, embedder)
      .Bind(2, row.document)
      .Bind(3, row.first)
      .Bind(4, int64_t{count})
      .Bind(5, row.total)
      .BindBlob(6, BytesOf(std::span<const uint32_t>(spans)))
      .BindBlob(7, BytesOf(row.scales))
      .BindBlob(8, BytesOf(row.vectors))
      .Run();
  if (own) own->Commit();
  return {.stored = row.first + count, .total = row.total};
}

VectorProgress SqliteVectors::ProgressOf(EmbedderId embedder, DocumentId document) {
  Statement select = database_.Prepare(
      "SELECT sum(count), max(total) FROM windows WHERE embedder = ?1 AND document = ?2");
  select.Bind(1, embedder).Bind(2, document);
  if (!select.Step() || select.IsNull(0)) return {};
  return {.stored = select.Int(0), .total = select.Int(1)};
}

std::vector<DocumentId> SqliteVectors::Incomplete(EmbedderId embedder) {
  Statement select = database_.Prepare(
      "SELECT id FROM documents WHERE id NOT IN (SELECT document FROM windows WHERE embedder = ?1 "
      "GROUP BY document HAVING sum(count) = max(total)) ORDER BY id");
  select.Bind(1, embedder);
  std::vector<DocumentId> documents;
  while (select.Step()) documents.push_back(select.Int(0));
  return documents;
}

void SqliteVectors::Read(EmbedderId embedder, std::span<const DocumentId> documents,
                         FunctionRef<void(const VectorRow&)> take) {
  const int64_t width = WidthOf(embedder);
  DecodedRow decoded;
  const auto read = [&](Statement& select) {
    while (select.Step()) {
      if (!decoded.Load(select, width)) {
        throw Error(Code::kCorrupt,
                    fmt::format("{}: the vectors of document {} are damaged; remove it from the "
                                "library and add it again",
                                database_.path(), select.Int(0)));
      }
      take(decoded.row());
    }
  };
  const std::string columns =
      "SELECT document, first, count, total, spans, scales, vectors FROM windows "
      "WHERE embedder = ?1 ";
  if (documents.empty()) {
    Statement select = database_.Prepare(columns + "ORDER BY document, first");
    select.Bind(1, embedder);
    return read(select);
  }
  std::vector<DocumentId> ids(documents.begin(), documents.end());
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  Statement select = database_.Prepare(columns + "AND document = ?2 ORDER BY first");
  for (const DocumentId id : ids) {
    select.Bind(1, embedder).Bind(2, id);
    read(select);
  }
}

}  // namespace tome
