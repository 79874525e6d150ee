// A file that appears whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "tome/base/file.h"

namespace tome {

// Written under a temporary name beside its target, which Commit replaces by renaming once all
// bytes are on the disk. Without Commit nothing is left. Errors are those of the system, with the
// target's path; a full disk says so.
class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& target);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  void Write(std::span<const std::byte> bytes);
  void Write(std::string_view bytes);
  // Bytes written so far.
  uint64_t size() const { return size_; }
  void Commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  UniqueFd fd_;
  uint64_t size_ = 0;
};

}  // namespace tome
