// FolderWatch tells which files below a folder change, by inotify(7), so that an index can follow a
// folder at the cost of the changed files.
//
// Regular files count. Symbolic links are not followed, and names that begin with a dot are left
// out with all that is below them: both would lead out of the folder, or to files that no person
// put there. A file counts as changed when it was written and closed, or moved into the folder. A
// file that is still being written is not reported.
#pragma once

#include <chrono>
#include <filesystem>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "tome/base/file.h"

namespace tome {

struct FolderChanges {
  std::set<std::filesystem::path> changed;  // files
  // Files and folders that were deleted or moved away. Of a folder, all files below it are gone.
  std::set<std::filesystem::path> removed;
  // The kernel dropped events. Only a look at all files (FolderWatch::Files) tells what changed.
  bool incomplete = false;

  bool empty() const { return changed.empty() && removed.empty() && !incomplete; }
};

class FolderWatch {
 public:
  // Begins to watch. `folder` must exist, and paths begin with it. Throws Error(kNotFound) where it
  // is missing, Error(kInvalidArgument) where it is no folder, and Error(kUnavailable) where the
  // system's limit of watches is reached.
  explicit FolderWatch(std::filesystem::path folder);

  // Returns all files, sorted. A file that appears meanwhile is in the next changes.
  std::vector<std::filesystem::path> Files() const;

  // Waits for a change, then until nothing has changed for `quiet`, but no longer than ten times
  // `quiet`, and returns all changes. Throws Error(kCancelled) on a stop request, and
  // Error(kNotFound) where the folder itself was removed or moved away.
  FolderChanges Wait(const std::stop_token& stop, std::chrono::milliseconds quiet);

 private:
  void WatchTree(const std::filesystem::path& folder, FolderChanges* found);
  void Forget(const std::filesystem::path& folder);
  void ReadEvents(FolderChanges& changes);
  void Take(int watch, uint32_t mask, const std::string& name, FolderChanges& changes);

  std::filesystem::path folder_;
  UniqueFd inotify_;
  std::unordered_map<int, std::filesystem::path> folders_;  // by inotify's watch descriptor
};

}  // namespace tome
