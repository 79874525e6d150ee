// Where pages go that have no room in RAM: a file without a name, mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "tome/memory/paged_kv.h"

namespace tome {

// Grows by what is put into it; the disk space of what nobody holds any more is given back, and all
// of it when the file goes, however the process ends. Threads may share one.
class SpillFile {
 public:
  // In a folder, which is made if need be. Error(kIo) with the path.
  explicit SpillFile(std::filesystem::path folder);
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;
  ~SpillFile();

  // Writes pieces one after another and maps them. The mapping lasts as long as its owner; the
  // file may go before. Error(kIo) with the folder, as on a full disk: nothing was put then.
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
