// The memories that are kept on disk. Commands that read with a model share these options.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "tome/memory/snapshot_store.h"

namespace tome {

struct KeepingOptions {
  uint64_t cache_bytes = uint64_t{16} << 30;  // 0: no memory is kept or looked for
};

void AddKeepingOptions(CLI::App& command, KeepingOptions& options);

// Returns the folder of kept memories, which lies in the library's folder.
std::filesystem::path MemoriesFolder();

// Opens the user's store of kept memories. Empty where the user wants none, and where the folder
// cannot be used, which a note on stderr says.
std::optional<SnapshotStore> OpenUserStore(const KeepingOptions& options);

// Prints on stderr how many kept memories were damaged, and why no more could be kept. Prints no
// line where neither happened.
void PrintStoreNotes(const SnapshotStore& store);

}  // namespace tome
