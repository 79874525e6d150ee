// Takes over the measurements that an earlier Tome kept in tables of library.db.
#pragma once

#include <filesystem>

#include "tome/base/sqlite.h"

namespace tome {

// Copies the tables `speeds`, `kv_losses` and `abilities` of `library` into `measurements`, once,
// and then removes them from a library that has the version without them (store/sqlite_schema.h).
// Measurements that are kept already stay as they are. Waits for no other process: where one is
// writing to the library, a later call removes the tables. The property "library" says how far this
// has come: "copied", then "gone". A process that is killed in between has lost nothing.
void TakeOverLibraryTables(const std::filesystem::path& library, Database& measurements);

}  // namespace tome
