#include "tome/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "tome/base/error.h"

namespace tome {
namespace {

[[noreturn]] void ThrowNotRegular(const std::filesystem::path& path) {
  throw Error(Code::kInvalidArgument,
              fmt::format("{}: is not a regular file; save it to a file first", path.string()));
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    Reset();
    fd_ = other.Release();
  }
  return *this;
}

int UniqueFd::Release() { return std::exchange(fd_, -1); }

void UniqueFd::Reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::string LastNameOf(const std::filesystem::path& path) {
  const std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  // A folder may be written with a slash behind it, after which no file name follows.
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

UniqueFd OpenForReading(const std::filesystem::path& path) {
  // O_NONBLOCK keeps a FIFO without a writer from blocking us before fstat can refuse it.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) {
    if (errno == ENOENT) {
      throw Error(Code::kNotFound, fmt::format("{}: no such file; check the path", path.string()));
    }
    if (errno == ENXIO) ThrowNotRegular(path);  // a socket, or a device without a driver
    throw SystemError(path.string(), errno);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw SystemError(path.string(), errno);
  if (S_ISDIR(status.st_mode)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: is a folder; name the files in it", path.string()));
  }
  if (!S_ISREG(status.st_mode)) ThrowNotRegular(path);
  return fd;
}

std::string ReadAll(int fd, uint64_t max_bytes, std::string_view what) {
  std::string bytes;
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
    // One byte more than the file's size lets the read that meets the end do so without growing.
    bytes.reserve(std::min<uint64_t>(static_cast<uint64_t>(status.st_size), max_bytes) + 1);
  }
  constexpr size_t kStep = size_t{1} << 20;
  for (;;) {
    const size_t used = bytes.size();
    const size_t step = std::max<size_t>(std::min(bytes.capacity() - used, kStep), 4096);
    bytes.resize(used + step);
    const ssize_t count = ::read(fd, bytes.data() + used, step);
    if (count < 0 && errno == EINTR) {
      bytes.resize(used);
      continue;
    }
    if (count < 0) throw SystemError(what, errno);
    bytes.resize(used + static_cast<size_t>(count));
    if (count == 0) return bytes;
    if (bytes.size() > max_bytes) {
      throw Error(Code::kUnsupported,
                  fmt::format("{}: larger than the limit of {} MiB", what, max_bytes >> 20));
    }
  }
}

void WriteAll(int fd, std::string_view bytes, std::string_view what) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw SystemError(what, errno);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

FileStamp StampOf(int fd, std::string_view what) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw SystemError(what, errno);
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  return {.size = static_cast<uint64_t>(status.st_size),
          .mtime_ns = status.st_mtim.tv_sec * kNsPerSecond + status.st_mtim.tv_nsec,
          .ctime_ns = status.st_ctim.tv_sec * kNsPerSecond + status.st_ctim.tv_nsec,
          .inode = status.st_ino,
          .device = status.st_dev};
}

}  // namespace tome
