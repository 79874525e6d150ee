#include "tome/library/schema.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "tome/base/error.h"
#include "tome/retrieval/fts5_extension.h"
#include "tome/retrieval/lexical_index.h"
#include "tome/text/analyzer.h"

namespace tome {
namespace {

constexpr int64_t kApplicationId = 0x546F6D65;  // "Tome"

// Another process may be adding a document, which takes seconds, and a minute for a huge one.
constexpr std::chrono::minutes kBusyWait{10};

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

constexpr std::string_view kSpeeds = R"(
  CREATE TABLE speeds(
    shape TEXT NOT NULL,           -- of the model; two of the same run at the same speed
    processor TEXT NOT NULL, kernels TEXT NOT NULL, threads INTEGER NOT NULL,
    kv TEXT NOT NULL,              -- type of keys and values
    linear_per_second REAL NOT NULL, attention_per_second REAL NOT NULL,
    weight_bytes_per_second REAL NOT NULL, kv_bytes_per_second REAL NOT NULL,
    measured_at TEXT NOT NULL,     -- UTC, ISO 8601
    PRIMARY KEY(shape, processor, kernels, threads, kv)) WITHOUT ROWID;
)";

constexpr std::string_view kKvLosses = R"(
  CREATE TABLE kv_losses(
    model TEXT NOT NULL,           -- hash of its files
    kv TEXT NOT NULL,              -- KindOf the type
    tokens INTEGER NOT NULL,
    mean_kl REAL NOT NULL, p99_kl REAL NOT NULL, largest_kl REAL NOT NULL,
    perplexity REAL NOT NULL, exact_perplexity REAL NOT NULL,
    same_top REAL NOT NULL, bytes_per_token REAL NOT NULL,
    measured_at TEXT NOT NULL,     -- UTC, ISO 8601
    PRIMARY KEY(model, kv)) WITHOUT ROWID;
)";

// Rates of earlier versions may have been measured under load, so they are measured again.
constexpr std::string_view kSpeedsUnderLoad = R"(
  ALTER TABLE speeds ADD COLUMN
    under_load INTEGER NOT NULL DEFAULT 1;  -- the machine did other things meanwhile
)";

constexpr std::string_view kAbilities = R"(
  CREATE TABLE abilities(
    model TEXT NOT NULL,           -- hash of its files
    language TEXT NOT NULL,        -- "en", "zh"
    ability TEXT NOT NULL,         -- JSON (answer/ability.h)
    measured_at TEXT NOT NULL,     -- UTC, ISO 8601
    PRIMARY KEY(model, language)) WITHOUT ROWID;
)";

// kTables and the lexical index are version 1. Upgrade i turns version i + 1 into version i + 2.
constexpr std::array kUpgrades{kSpeeds, kKvLosses, kSpeedsUnderLoad, kAbilities};
static_assert(kUpgrades.size() + 1 == kSchemaVersion);

// The identity of a database file, read in one statement, because another process may be creating
// it.
struct Identity {
  int64_t version = 0;
  int64_t application = 0;
  int64_t tables = 0;
};

Identity ReadIdentity(Database& database) {
  Statement select = database.Prepare(
      "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema) "
      "FROM pragma_user_version, pragma_application_id");
  if (!select.Step()) return {};
  return {.version = select.Int(0), .application = select.Int(1), .tables = select.Int(2)};
}

// Sets the journal mode, which stays with the file. Where several processes do so on a new file at
// once, SQLite refuses all but one immediately instead of letting them wait. The next try finds it
// set.
void UseWal(Database& database) {
  constexpr int kTries = 500;
  for (int tries_left = kTries;; --tries_left) {
    try {
      database.Exec("PRAGMA journal_mode = WAL");
      return;
    } catch (const Error& error) {
      if (error.code() != Code::kUnavailable || tries_left == 0) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

// Must be called within a transaction.
void UpgradeTables(Database& database, int64_t version) {
  if (version >= kSchemaVersion) return;
  for (; version < kSchemaVersion; ++version) {
    database.Exec(std::string(kUpgrades.at(static_cast<size_t>(version - 1))));
  }
  database.Exec(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
}

void UpgradeSchema(Database& database) {
  Transaction transaction(database);
  // Another process may have upgraded the file while this one waited for the lock.
  UpgradeTables(database, database.QueryInt("PRAGMA user_version"));
  transaction.Commit();
}

void CreateSchema(Database& database) {
  Transaction transaction(database);
  // Another process may have created it while this one waited for the lock.
  if (database.QueryInt("PRAGMA user_version") == 0) {
    database.Exec(std::string(kTables));
    LexicalIndex::CreateTables(database);
    Statement property = database.Prepare("INSERT INTO properties VALUES('analyzer', ?1)");
    const std::string version = AnalyzerVersion();
    property.Bind(1, std::string_view(version)).Run();
    UpgradeTables(database, 1);
    database.Exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
  }
  transaction.Commit();
}

}  // namespace

Database OpenLibraryDatabase(const std::filesystem::path& path, std::stop_token stop) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) {
    throw Error(Code::kIo, fmt::format("{}: {}; set TOME_HOME to a folder that can be written",
                                       path.parent_path().string(), error.message()));
  }
  Database database = Database::Open(path, kBusyWait, std::move(stop));
  UseWal(database);
  // With synchronous=NORMAL a killed process loses nothing. A power cut loses at most the last
  // commits, each as a whole.
  database.Exec(
      "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;"
      "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216;");
  RegisterFts5Extension(database);
  const Identity identity = ReadIdentity(database);
  if (identity.version == 0 && identity.application == 0 && identity.tables == 0) {
    CreateSchema(database);
    return database;
  }
  if (identity.application != kApplicationId) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: is a database of another program; move it away or set TOME_HOME",
                            path.string()));
  }
  if (identity.version > kSchemaVersion) {
    throw Error(
        Code::kUnsupported,
        fmt::format("{}: was written by a newer Tome (format {}, this one knows {}); upgrade "
                    "Tome or set TOME_HOME to another folder",
                    path.string(), identity.version, kSchemaVersion));
  }
  if (identity.version < 1) {
    throw Error(Code::kCorrupt,
                fmt::format("{}: says that it has format {}; the file is damaged: move it away and "
                            "add the documents again",
                            path.string(), identity.version));
  }
  if (identity.version < kSchemaVersion) UpgradeSchema(database);
  return database;
}

}  // namespace tome
