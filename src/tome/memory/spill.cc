#include "tome/memory/spill.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/file.h"

namespace tome {
namespace {

namespace fs = std::filesystem;

// Opens a file in `folder` that has no name, or loses it here.
UniqueFd OpenNameless(const fs::path& folder) {
  constexpr mode_t kMode = 0600;
  UniqueFd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kMode));
  if (fd.valid()) return fd;
  // Some file systems do not know O_TMPFILE.
  std::string name = (folder / "spill-XXXXXX").string();
  fd = UniqueFd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd.valid()) throw SystemError(folder.string(), errno);
  ::unlink(name.c_str());
  return fd;
}

int64_t SystemPage() { return ::sysconf(_SC_PAGESIZE); }

}  // namespace

struct SpillFile::File {
  UniqueFd fd;
  std::mutex mutex;
  int64_t end = 0;  // bytes, a multiple of the system's page
};

SpillFile::SpillFile(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw SystemError(folder_.string(), error.value());
  file_ = std::make_shared<File>();
  file_->fd = OpenNameless(folder_);
}

SpillFile::~SpillFile() = default;

SpillFile::Mapped SpillFile::Put(std::span<const std::span<const std::byte>> pieces) {
  const std::lock_guard lock(file_->mutex);
  const int fd = file_->fd.get();
  const int64_t begin = file_->end;
  if (::lseek(fd, begin, SEEK_SET) < 0) throw SystemError(folder_.string(), errno);
  int64_t size = 0;
  for (const auto& piece : pieces) {
    WriteAll(fd, std::string_view(reinterpret_cast<const char*>(piece.data()), piece.size()),
             folder_.string());
    size += static_cast<int64_t>(piece.size());
  }
  // Writing begins at once, because the system cannot take back the memory of bytes that are not on
  // disk.
  ::sync_file_range(fd, begin, size, SYNC_FILE_RANGE_WRITE);
  void* const address =
      ::mmap(nullptr, static_cast<size_t>(size), PROT_READ, MAP_SHARED, fd, begin);
  if (address == MAP_FAILED) throw SystemError(folder_.string(), errno);
  file_->end = (begin + size + SystemPage() - 1) / SystemPage() * SystemPage();
  const auto release = [file = file_, begin, size](void* mapped) {
    ::munmap(mapped, static_cast<size_t>(size));
    ::fallocate(file->fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, begin, size);
  };
  return {.owner = std::shared_ptr<void>(address, release),
          .bytes = {static_cast<const std::byte*>(address), static_cast<size_t>(size)}};
}

}  // namespace tome
