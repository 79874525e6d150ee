// The NoteStore of a SQLite file.
#pragma once

#include "tome/base/sqlite.h"
#include "tome/store/note_store.h"

namespace tome {

// The database must outlive the object. SqliteDocuments::Remove removes the notes of a document.
class SqliteNotes final : public NoteStore {
 public:
  explicit SqliteNotes(Database& database) : database_(database) {}
  static void CreateTables(Database& database);

  std::optional<std::string> Find(const NoteKey& key) override;
  void Keep(const NoteKey& key, std::string_view note) override;

 private:
  Database& database_;
};

}  // namespace tome
