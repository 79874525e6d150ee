#include "tome/store/sqlite_notes.h"

namespace tome {
namespace {

// Binds a key to the parameters 1 to 5. The key must outlive the statement's next run.
Statement& BindNoteKey(Statement& statement, const NoteKey& key) {
  return statement.Bind(1, key.document)
      .Bind(2, key.survey)
      .Bind(3, key.level)
      .Bind(4, static_cast<int64_t>(key.span.begin))
      .Bind(5, static_cast<int64_t>(key.span.end));
}

}  // namespace

void SqliteNotes::CreateTables(Database& database) {
  database.Exec(R"(
    CREATE TABLE survey_notes(
      document INTEGER NOT NULL,
      survey TEXT NOT NULL,          -- NoteKey::survey
      level INTEGER NOT NULL,
      begin_byte INTEGER NOT NULL, end_byte INTEGER NOT NULL,
      note TEXT NOT NULL,
      PRIMARY KEY(document, survey, level, begin_byte, end_byte)) WITHOUT ROWID;
  )");
}

std::optional<std::string> SqliteNotes::Find(const NoteKey& key) {
  Statement select = database_.Prepare(
      "SELECT note FROM survey_notes WHERE document = ?1 AND survey = ?2 AND level = ?3 "
      "AND begin_byte = ?4 AND end_byte = ?5");
  if (!BindNoteKey(select, key).Step()) return std::nullopt;
  return std::string(select.Text(0));
}

void SqliteNotes::Keep(const NoteKey& key, std::string_view note) {
  // Another process may have removed the document while the model read it.
  Statement insert = database_.Prepare(
      "INSERT OR REPLACE INTO survey_notes SELECT ?1, ?2, ?3, ?4, ?5, ?6 "
      "WHERE EXISTS (SELECT 1 FROM documents WHERE id = ?1)");
  BindNoteKey(insert, key).Bind(6, note).Run();
}

}  // namespace tome
