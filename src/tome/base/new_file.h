// A file that appears whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "tome/base/file.h"

namespace tome {

// Who may read and write a new file: whom the umask lets, or its owner alone.
enum class FileAccess { kUmask, kOwnerOnly };

// Bytes are collected and written in large steps, at large boundaries of the file: the system then
// holds them in large pages, which whoever maps the file reads faster.
//
// Written under a temporary name beside its target, which Commit replaces by renaming once all
// bytes are on the disk. Without Commit nothing is left. Errors are those of the system, with the
// target's path; a full disk says so.
class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& target, FileAccess access = FileAccess::kUmask);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  void Write(std::span<const std::byte> bytes);
  void Write(std::string_view bytes);
  // Bytes taken so far.
  uint64_t size() const { return size_; }
  // Writes what is collected, for those who will write no more for a while.
  void Flush();
  void Commit();

 private:
  void WriteOut();

  std::filesystem::path target_;
  std::filesystem::path temporary_;
  UniqueFd fd_;
  std::string collected_;  // not yet written
  uint64_t size_ = 0;
};

}  // namespace tome
