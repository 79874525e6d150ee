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

// Says who may read and write a new file: those whom the umask lets, or its owner alone.
enum class FileAccess { kUmask, kOwnerOnly };

// A NewFile is written under a temporary name beside its target. Commit replaces the target by
// renaming once all bytes are on the disk. Without Commit no file is left. The errors are those of
// the system, with the target's path; a full disk says so.
//
// Bytes are collected and written in large steps, at large boundaries of the file. The system then
// holds them in large pages, which are faster to read for those who map the file.
class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& target, FileAccess access = FileAccess::kUmask);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  void Write(std::span<const std::byte> bytes);
  void Write(std::string_view bytes);
  // Returns the number of bytes written so far, collected ones included.
  uint64_t size() const { return size_; }
  // Writes the collected bytes and frees their memory. Call it before a long time without writing.
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
