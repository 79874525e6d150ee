// Files and descriptors: the one place that opens, closes and reads them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tome {

// An open file descriptor, which is closed once. It is move-only. -1 is empty (0 is a valid
// descriptor).
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

// Returns the name of a file or folder, also where its path ends with a slash.
std::string LastNameOf(const std::filesystem::path& path);

// Opens a regular file for reading. Throws an Error whose message begins with the path: kNotFound
// where the file is missing, kInvalidArgument where it is a folder or anything else that is not a
// regular file, kIo otherwise.
UniqueFd OpenForReading(const std::filesystem::path& path);

// Returns everything that can be read from `fd`. Throws Error(kUnsupported) where that is more than
// `max_bytes`, and Error(kIo) where reading fails. `what` names the source in errors.
std::string ReadAll(int fd, uint64_t max_bytes, std::string_view what);

// Writes all of `bytes`, retrying short writes. Throws Error(kIo) where writing fails.
void WriteAll(int fd, std::string_view bytes, std::string_view what);

// A stamp identifies a file's content at one moment without reading it.
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
