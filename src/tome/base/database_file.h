// Opens a database file of Tome, creates its tables in a new one and upgrades those of an older
// version.
//
// The file's application_id says which of Tome's files it is, and its user_version is the version
// of its tables. Creating and upgrading are one transaction each, and several processes may open a
// new or an old file at once. The file is in WAL mode: readers never wait, there is one writer at a
// time, and a process killed at any moment leaves the last committed state.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string_view>

#include "tome/base/sqlite.h"

namespace tome {

struct DatabaseFormat {
  int64_t application_id = 0;
  int64_t version = 1;
  // What to do about a damaged file, for an error: "add the documents again".
  std::string_view remedy;
  // Registers functions on the connection, before any table is touched. May be empty.
  std::function<void(Database&)> prepare;
  // Makes the tables of `version` in a new file.
  std::function<void(Database&)> create;
  // Makes the tables of `version` out of those of version `from`, which is at least 1 and less than
  // `version`.
  std::function<void(Database&, int64_t from)> upgrade;
};

// Opens the file, and creates it and its folder where they are missing. Waits for other writers
// until `stop` is requested. Throws Error(kCorrupt) for a file that is no database or is damaged,
// and Error(kUnsupported) for one of another program or of a newer Tome.
Database OpenDatabaseFile(const std::filesystem::path& path, const DatabaseFormat& format,
                          std::stop_token stop);

}  // namespace tome
