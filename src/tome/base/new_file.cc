#include "tome/base/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tome/base/error.h"

namespace tome {
namespace {

// A step is as large as a few of the system's large pages.
constexpr size_t kStep = size_t{8} << 20;

}  // namespace

NewFile::NewFile(const std::filesystem::path& target, FileAccess access) : target_(target) {
  const mode_t mode = access == FileAccess::kOwnerOnly ? 0600 : 0666;  // less the umask
  // O_EXCL finds a free name when several processes or objects write the same target.
  for (int attempt = 0;; ++attempt) {
    temporary_ = target;
    temporary_ += fmt::format(".{}-{}.part", ::getpid(), attempt);
    fd_ = UniqueFd(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (fd_.valid()) return;
    if (errno != EEXIST || attempt == 1000) throw SystemError(target.string(), errno);
  }
}

NewFile::~NewFile() {
  if (temporary_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void NewFile::Write(std::span<const std::byte> bytes) {
  Write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void NewFile::Write(std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const size_t taken = std::min(bytes.size(), kStep - collected_.size());
    collected_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    if (collected_.size() == kStep) WriteOut();
  }
}

void NewFile::WriteOut() {
  WriteAll(fd_.get(), collected_, target_.string());
  collected_.clear();
}

void NewFile::Flush() {
  WriteOut();
  collected_ = {};  // clear() would keep the memory
}

void NewFile::Commit() {
  WriteOut();
  if (::fsync(fd_.get()) != 0) throw SystemError(target_.string(), errno);
  fd_.Reset();
  if (::rename(temporary_.c_str(), target_.c_str()) != 0)
    throw SystemError(target_.string(), errno);
  temporary_.clear();
}

}  // namespace tome
