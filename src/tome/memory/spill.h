// A SpillFile takes pages that have no room in RAM: a file without a name, mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "tome/memory/paged_kv.h"

namespace tome {

// The file grows with every Put. The disk space of a mapping is given back when its last owner
// goes, and all of it when the file is closed, however the process ends. Threads may share a
// SpillFile.
class SpillFile {
 public:
  // Makes the file in `folder`, which it creates if need be. Throws Error(kIo) with the path.
  explicit SpillFile(std::filesystem::path folder);
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;
  ~SpillFile();

  // Writes pieces one after another and maps them. The mapping lasts as long as its owner, even
  // after the SpillFile is destroyed. Throws Error(kIo) with the folder, as on a full disk; nothing
  // was put then.
  struct Mapped {
    std::shared_ptr<const void> owner;
    std::span<const std::byte> bytes;
  };
  Mapped Put(std::span<const std::span<const std::byte>> pieces);

 private:
  struct File;
  std::filesystem::path folder_;
  std::shared_ptr<File> file_;
};

}  // namespace tome
