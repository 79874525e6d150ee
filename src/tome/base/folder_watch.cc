#include "tome/base/folder_watch.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "tome/base/error.h"

namespace tome {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                             IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW;

bool IsHidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

// Calls `visit` with the status of each entry of a folder that is not hidden. A folder that
// vanishes meanwhile, or that may not be read, has no entries.
template <typename Visit>
void VisitEntries(const fs::path& folder, const Visit& visit) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (IsHidden(entry->path())) continue;
    std::error_code gone;
    visit(entry->path(), entry->symlink_status(gone));
  }
}

void AddFiles(const fs::path& folder, std::vector<fs::path>& files) {
  VisitEntries(folder, [&](const fs::path& path, const fs::file_status& status) {
    if (fs::is_directory(status)) AddFiles(path, files);
    if (fs::is_regular_file(status)) files.push_back(path);
  });
}

bool IsBelow(const fs::path& path, const fs::path& folder) {
  const std::string& text = path.native();
  const std::string& prefix = folder.native();
  return text == prefix || (text.starts_with(prefix) && text[prefix.size()] == '/');
}

// A new name of a file that has another name too (a hard link) is complete as soon as it is there.
// Any other new file is reported when its writer closes it.
bool IsHardLink(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink > 1;
}

bool IsRegularFile(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(fs::symlink_status(path, error));
}

}  // namespace

FolderWatch::FolderWatch(fs::path folder)
    : folder_(std::move(folder)), inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!inotify_.valid()) {
    throw SystemError(fmt::format("{}: cannot be watched", folder_.string()), errno);
  }
  std::error_code error;
  const fs::file_status status = fs::status(folder_, error);
  if (!fs::exists(status)) {
    throw Error(Code::kNotFound, fmt::format("{}: there is no such folder", folder_.string()));
  }
  if (!fs::is_directory(status)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("{}: is no folder; name the folder that holds it", folder_.string()));
  }
  // inotify is told not to follow links, so a folder that is named by one is watched at its place.
  folder_ = fs::canonical(folder_);
  WatchTree(folder_, nullptr);
  if (folders_.empty()) {
    throw Error(Code::kIo, fmt::format("{}: cannot be read", folder_.string()));
  }
}

std::vector<fs::path> FolderWatch::Files() const {
  std::vector<fs::path> files;
  AddFiles(folder_, files);
  std::sort(files.begin(), files.end());
  return files;
}

// Watches a folder and those below it. Where `found` is given, its files are reported there: they
// may have come before the watch.
void FolderWatch::WatchTree(const fs::path& folder, FolderChanges* found) {
  const int watch = ::inotify_add_watch(inotify_.get(), folder.c_str(), kEvents);
  if (watch < 0) {
    if (errno == ENOSPC || errno == ENOMEM) {
      throw Error(Code::kUnavailable,
                  fmt::format("{}: the system allows no more watches; raise the limit "
                              "fs.inotify.max_user_watches, or watch a smaller folder",
                              folder.string()));
    }
    return;  // the folder vanished meanwhile, or may not be read
  }
  folders_[watch] = folder;
  VisitEntries(folder, [&](const fs::path& path, const fs::file_status& status) {
    if (fs::is_directory(status)) WatchTree(path, found);
    if (fs::is_regular_file(status) && found != nullptr) found->changed.insert(path);
  });
}

// Ends the watches of a folder that was moved away, and of those below it.
void FolderWatch::Forget(const fs::path& folder) {
  for (auto each = folders_.begin(); each != folders_.end();) {
    if (!IsBelow(each->second, folder)) {
      ++each;
      continue;
    }
    ::inotify_rm_watch(inotify_.get(), each->first);
    each = folders_.erase(each);
  }
}

FolderChanges FolderWatch::Wait(const std::stop_token& stop, std::chrono::milliseconds quiet) {
  const UniqueFd stopped(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stopped.valid()) throw SystemError("cannot wait for changes", errno);
  const std::stop_callback wake(stop, [&] { ::eventfd_write(stopped.get(), 1); });

  using Clock = std::chrono::steady_clock;
  constexpr int kMostQuietTimes = 10;
  FolderChanges changes;
  Clock::time_point latest;
  for (;;) {
    std::chrono::milliseconds wait(-1);
    if (!changes.empty()) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(latest - Clock::now());
      wait = std::clamp(left, std::chrono::milliseconds(0), quiet);
    }
    std::array<pollfd, 2> polled{{{.fd = inotify_.get(), .events = POLLIN, .revents = 0},
                                  {.fd = stopped.get(), .events = POLLIN, .revents = 0}}};
    const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(wait.count()));
    if (ready < 0 && errno != EINTR) throw SystemError("cannot wait for changes", errno);
    if (stop.stop_requested()) throw Error(Code::kCancelled, "watching was stopped");
    if (ready == 0) return changes;
    if (polled[0].revents == 0) continue;
    const bool first = changes.empty();
    ReadEvents(changes);
    if (first) latest = Clock::now() + kMostQuietTimes * quiet;
  }
}

void FolderWatch::ReadEvents(FolderChanges& changes) {
  // inotify(7) asks for room for at least one event with the longest name.
  alignas(inotify_event) std::array<char, 64 << 10> buffer;
  for (;;) {
    const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0) throw SystemError("changes of the folder cannot be read", errno);
    size_t offset = 0;
    while (offset < static_cast<size_t>(size)) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + offset, sizeof(event));
      const char* name = buffer.data() + offset + sizeof(event);
      Take(event.wd, event.mask, event.len > 0 ? std::string(name) : std::string(), changes);
      offset += sizeof(event) + event.len;
    }
  }
}

void FolderWatch::Take(int watch, uint32_t mask, const std::string& name, FolderChanges& changes) {
  if ((mask & IN_Q_OVERFLOW) != 0) {
    changes.incomplete = true;
    // Folders may have been made unseen. A second watch of a folder takes the place of the first.
    WatchTree(folder_, nullptr);
    return;
  }
  const auto known = folders_.find(watch);
  if (known == folders_.end()) return;  // an event that was under way when its watch ended
  const fs::path folder = known->second;
  if ((mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
    if (folder == folder_) {
      throw Error(Code::kNotFound, fmt::format("{}: was removed or moved away", folder_.string()));
    }
    return;  // the folder above it tells the same
  }
  if ((mask & IN_IGNORED) != 0) {
    folders_.erase(known);
    return;
  }
  const fs::path path = folder / name;
  if (name.empty() || IsHidden(path)) return;
  const bool is_folder = (mask & IN_ISDIR) != 0;
  if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
    if (is_folder) Forget(path);
    std::erase_if(changes.changed, [&](const fs::path& each) { return IsBelow(each, path); });
    changes.removed.insert(path);
  } else if (is_folder) {
    if ((mask & (IN_CREATE | IN_MOVED_TO)) != 0) WatchTree(path, &changes);
  } else if ((mask & IN_CREATE) == 0 ? IsRegularFile(path) : IsHardLink(path)) {
    changes.removed.erase(path);  // written anew, as some editors save
    changes.changed.insert(path);
  }
}

}  // namespace tome
