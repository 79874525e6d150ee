// Files and descriptors: the one place that opens, closes and reads them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tome {

// An open file descriptor. Move-only, closes once; empty is -1 (0 is a valid descriptor).
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release();
  void Reset();

 private:
  int fd_ = -1;
};

// Opens a regular file for reading. NotFound when it is missing, InvalidArgument when it is a
// folder or anything else that is not a regular file, Io otherwise; the message begins with the
// path.
UniqueFd OpenForReading(const std::filesystem::path& path);

// Everything that can be read from `fd`, up to `max_bytes`; Unsupported when there is more.
// `what` names the source in errors.
std::string ReadAll(int fd, uint64_t max_bytes, std::string_view what);

// Writes all of `bytes`, retrying short writes. Io on failure.
void WriteAll(int fd, std::string_view bytes, std::string_view what);

// What identifies a file's content at a moment without reading it.
struct FileStamp {
  uint64_t size = 0;     // bytes
  int64_t mtime_ns = 0;  // last change of the content
  int64_t ctime_ns = 0;  // last change of the inode; cannot be set back by a program
  uint64_t inode = 0;
  uint64_t device = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp StampOf(int fd, std::string_view what);

}  // namespace tome
