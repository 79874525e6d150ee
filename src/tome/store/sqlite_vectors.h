// Vectors in the tables
//   embedders  (id, key, name, width, added_at)
//   windows    (embedder, document, first, count, total, spans, scales, vectors): one row for the
//              windows of one Put. `spans` has begin and end as 32-bit numbers, `scales` 32-bit
//              floats, `vectors` bytes, all little-endian
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "tome/base/sqlite.h"
#include "tome/store/vector_store.h"

namespace tome {

// The database must have the tables of sqlite_schema.h and outlive the object.
class SqliteVectors final : public VectorStore {
 public:
  // Creates the tables in a database.
  static void CreateTables(Database& database);

  explicit SqliteVectors(Database& database) : database_(database) {}

  EmbedderId Register(std::string_view key, std::string_view name, int64_t width) override;
  std::vector<EmbedderRecord> Embedders() override;
  void Drop(EmbedderId embedder) override;
  VectorProgress Put(EmbedderId embedder, const VectorRow& row) override;
  VectorProgress ProgressOf(EmbedderId embedder, DocumentId document) override;
  std::vector<DocumentId> Incomplete(EmbedderId embedder) override;
  void Read(EmbedderId embedder, std::span<const DocumentId> documents,
            FunctionRef<void(const VectorRow&)> take) override;

 private:
  int64_t WidthOf(EmbedderId embedder);

  Database& database_;
};

}  // namespace tome
