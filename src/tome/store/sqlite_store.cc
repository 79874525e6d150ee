#include "tome/store/sqlite_store.h"

#include <utility>

#include "tome/store/sqlite_documents.h"
#include "tome/store/sqlite_notes.h"
#include "tome/store/sqlite_postings.h"
#include "tome/store/sqlite_schema.h"
#include "tome/store/sqlite_vectors.h"

namespace tome {
namespace {

class SqliteTransaction final : public StoreTransaction {
 public:
  explicit SqliteTransaction(Database& database) : transaction_(database) {}
  void Commit() override { transaction_.Commit(); }

 private:
  Transaction transaction_;
};

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(Database database)
      : database_(std::move(database)),
        documents_(database_),
        postings_(database_),
        vectors_(database_),
        notes_(database_) {}

  DocumentStore& documents() override { return documents_; }
  PostingStore& postings() override { return postings_; }
  VectorStore& vectors() override { return vectors_; }
  NoteStore& notes() override { return notes_; }

  std::unique_ptr<StoreTransaction> Begin() override {
    return std::make_unique<SqliteTransaction>(database_);
  }

  std::optional<std::string> Property(std::string_view name) override {
    Statement select = database_.Prepare("SELECT value FROM properties WHERE name = ?1");
    if (!select.Bind(1, name).Step()) return std::nullopt;
    return std::string(select.Text(0));
  }

  void SetProperty(std::string_view name, std::string_view value) override {
    database_.Prepare("INSERT OR REPLACE INTO properties VALUES(?1, ?2)")
        .Bind(1, name)
        .Bind(2, value)
        .Run();
  }

 private:
  Database database_;
  SqliteDocuments documents_;
  SqlitePostings postings_;
  SqliteVectors vectors_;
  SqliteNotes notes_;
};

}  // namespace

std::unique_ptr<Store> OpenSqliteStore(const std::filesystem::path& path, std::stop_token stop) {
  return std::make_unique<SqliteStore>(OpenLibraryDatabase(path, std::move(stop)));
}

}  // namespace tome
