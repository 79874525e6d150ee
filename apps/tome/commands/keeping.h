// What commands that read with a model share: the memories that are kept on disk.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "tome/memory/snapshot_store.h"

namespace tome {

struct KeepingOptions {
  uint64_t cache_bytes = uint64_t{16} << 30;  // 0: nothing is kept, nor looked for
};

void AddKeepingOptions(CLI::App& command, KeepingOptions& options);

// Where they lie: in the library's folder.
std::filesystem::path MemoriesFolder();

// The user's kept memories, in the library's folder; nothing where none are wanted, or, with a
// note, where the folder cannot be used.
std::optional<SnapshotStore> OpenUserStore(const KeepingOptions& options);

// To stderr, where there is something to say: files that were damaged, and why nothing more was
// kept.
void PrintStoreNotes(const SnapshotStore& store);

}  // namespace tome
