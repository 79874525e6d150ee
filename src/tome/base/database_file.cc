#include "tome/base/database_file.h"

#include <fmt/format.h>

#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "tome/base/error.h"

namespace tome {
namespace {

// Another process may be adding a document, which takes seconds, and a minute for a huge one.
constexpr std::chrono::minutes kBusyWait{10};

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

void SetVersion(Database& database, int64_t version) {
  database.Exec(fmt::format("PRAGMA user_version = {}", version));
}

void Create(Database& database, const DatabaseFormat& format) {
  Transaction transaction(database);
  // Another process may have created it while this one waited for the lock.
  if (database.QueryInt("PRAGMA user_version") == 0) {
    format.create(database);
    SetVersion(database, format.version);
    database.Exec(fmt::format("PRAGMA application_id = {}", format.application_id));
  }
  transaction.Commit();
}

void Upgrade(Database& database, const DatabaseFormat& format) {
  Transaction transaction(database);
  // Another process may have upgraded the file while this one waited for the lock.
  const int64_t from = database.QueryInt("PRAGMA user_version");
  if (from < format.version) {
    format.upgrade(database, from);
    SetVersion(database, format.version);
  }
  transaction.Commit();
}

}  // namespace

Database OpenDatabaseFile(const std::filesystem::path& path, const DatabaseFormat& format,
                          std::stop_token stop) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) {
    throw Error(Code::kIo, fmt::format("{}: {}; set TOME_HOME to a folder that can be written",
                                       path.parent_path().string(), error.message()));
  }
  Database database = Database::Open(path, kBusyWait, std::move(stop));
  database.set_remedy(format.remedy);
  UseWal(database);
  // With synchronous=NORMAL a killed process loses nothing. A power cut loses at most the last
  // commits, each as a whole.
  database.Exec(
      "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;"
      "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216;");
  if (format.prepare) format.prepare(database);
  const Identity identity = ReadIdentity(database);
  if (identity.version == 0 && identity.application == 0 && identity.tables == 0) {
    Create(database, format);
    return database;
  }
  if (identity.application != format.application_id) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: is a database of another program; move it away or set TOME_HOME",
                            path.string()));
  }
  if (identity.version > format.version) {
    throw Error(
        Code::kUnsupported,
        fmt::format("{}: was written by a newer Tome (format {}, this one knows {}); upgrade "
                    "Tome or set TOME_HOME to another folder",
                    path.string(), identity.version, format.version));
  }
  if (identity.version < 1) {
    throw Error(Code::kCorrupt,
                fmt::format("{}: says that it has format {}; the file is damaged: move it away and "
                            "{}",
                            path.string(), identity.version, format.remedy));
  }
  if (identity.version < format.version) Upgrade(database, format);
  return database;
}

}  // namespace tome
