// A store in one SQLite file (sqlite_schema.h).
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>

#include "tome/store/store.h"

namespace tome {

// Opens or creates the file, as OpenLibraryDatabase does.
std::unique_ptr<Store> OpenSqliteStore(const std::filesystem::path& path, std::stop_token stop);

}  // namespace tome
