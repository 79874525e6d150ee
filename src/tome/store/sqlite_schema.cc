#include "tome/store/sqlite_schema.h"

#include <string>
#include <string_view>
#include <utility>

#include "tome/base/database_file.h"
#include "tome/store/fts5_extension.h"
#include "tome/store/sqlite_notes.h"
#include "tome/store/sqlite_postings.h"
#include "tome/store/sqlite_vectors.h"
#include "tome/store/store.h"
#include "tome/text/analyzer.h"

namespace tome {
namespace {

constexpr std::string_view kTables = R"(
  CREATE TABLE properties(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE documents(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL,            -- XXH3, 128 bits, of the file
    reader TEXT NOT NULL,          -- version of the readers that read it
    settings TEXT NOT NULL,        -- options that changed how it was read
    format TEXT NOT NULL,
    encoding TEXT NOT NULL,
    title TEXT NOT NULL,
    soft_line_breaks INTEGER NOT NULL,
    file_bytes INTEGER NOT NULL,
    text_bytes INTEGER NOT NULL,
    characters INTEGER NOT NULL,
    page_count INTEGER NOT NULL,
    first_passage INTEGER NOT NULL,
    last_passage INTEGER NOT NULL,
    tokens INTEGER NOT NULL,       -- estimated
    added_at TEXT NOT NULL,        -- UTC, ISO 8601
    notes TEXT NOT NULL);          -- one a line
  CREATE UNIQUE INDEX documents_by_content ON documents(hash, reader, settings);
  CREATE TABLE files(
    path TEXT PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents(id),
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL, device INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX files_by_document ON files(document);
  CREATE TABLE texts(
    document INTEGER NOT NULL, chunk INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY(document, chunk));
  CREATE TABLE sections(
    document INTEGER NOT NULL, ordinal INTEGER NOT NULL, title TEXT NOT NULL,
    level INTEGER NOT NULL, parent INTEGER NOT NULL,
    begin_byte INTEGER NOT NULL, end_byte INTEGER NOT NULL,
    PRIMARY KEY(document, ordinal)) WITHOUT ROWID;
  CREATE INDEX sections_by_begin ON sections(document, begin_byte);
  CREATE TABLE pages(
    document INTEGER NOT NULL, number INTEGER NOT NULL,
    begin_byte INTEGER NOT NULL, end_byte INTEGER NOT NULL, label TEXT NOT NULL,
    PRIMARY KEY(document, begin_byte, number)) WITHOUT ROWID;
  CREATE TABLE passages(
    id INTEGER PRIMARY KEY,
    document INTEGER NOT NULL, begin_byte INTEGER NOT NULL, end_byte INTEGER NOT NULL,
    section INTEGER NOT NULL, tokens INTEGER NOT NULL);
)";

void CreateTables(Database& database) {
  database.Exec(std::string(kTables));
  SqlitePostings::CreateTables(database);
  SqliteVectors::CreateTables(database);
  SqliteNotes::CreateTables(database);
  Statement property = database.Prepare("INSERT INTO properties VALUES(?1, ?2)");
  const std::string version = AnalyzerVersion();
  property.Bind(1, kAnalyzerProperty).Bind(2, std::string_view(version)).Run();
}

// Version 6 added the vectors, version 7 the notes of surveys.
void UpgradeTables(Database& database, int64_t from) {
  if (from < 6) SqliteVectors::CreateTables(database);
  SqliteNotes::CreateTables(database);
}

}  // namespace

Database OpenLibraryDatabase(const std::filesystem::path& path, std::stop_token stop) {
  return OpenDatabaseFile(path,
                          {.application_id = kLibraryId,
                           .version = kLibraryVersion,
                           .remedy = "add the documents again",
                           .prepare = RegisterFts5Extension,
                           .create = CreateTables,
                           .upgrade = UpgradeTables},
                          std::move(stop));
}

}  // namespace tome
