#include "commands/keeping.h"

#include <fmt/format.h>

#include <algorithm>

#include "advice.h"
#include "terminal.h"
#include "tome/base/error.h"
#include "tome/library/library.h"

namespace tome {

void AddKeepingOptions(CLI::App& command, KeepingOptions& options) {
  command
      .add_option(
          "--cache-size", options.cache_bytes,
          "Disk space for what models have read, so that it is not read again; what was not "
          "used for the longest time goes first; 0: keep nothing")
      ->transform(CLI::AsSizeValue(false))
      ->default_str("16GB")
      ->type_name("SIZE");
}

std::filesystem::path MemoriesFolder() { return Library::MemoriesFolder(Library::DefaultHome()); }

std::optional<SnapshotStore> OpenUserStore(const KeepingOptions& options) {
  if (options.cache_bytes == 0) return std::nullopt;
  constexpr uint64_t kMost = INT64_MAX;
  try {
    return SnapshotStore(MemoriesFolder(),
                         static_cast<int64_t>(std::min(options.cache_bytes, kMost)));
  } catch (const Error& error) {
    PrintNote(fmt::format("note: what is read is not kept: {}", Worded(error)));
    return std::nullopt;
  }
}

void PrintStoreNotes(const SnapshotStore& store) {
  const SnapshotReport& report = store.report();
  if (report.damaged > 0) {
    PrintNote(
        fmt::format("note: {} kept memories were damaged and have been removed; what they "
                    "held was read again",
                    report.damaged));
  }
  if (!report.failure.text.empty()) {
    PrintNote(
        fmt::format("note: not everything that was read is kept: {}", Worded(report.failure)));
  }
}

}  // namespace tome
