// Keeps a shelf true to a folder: files that come or change are added, and files that go are
// forgotten. What has not changed costs nothing.
#pragma once

#include <filesystem>
#include <functional>

#include "tome/base/progress.h"
#include "tome/library/library.h"

namespace tome {

struct FolderActions {
  // Adds a file that is new or may have changed (Library::Add). An error of one file must not leave
  // it, or following ends.
  std::function<void(const std::filesystem::path& file)> add;
  // Is told of a document that was removed with its last file.
  std::function<void(const RemovedDocument& removed)> removed;
};

// Adds all files below the folder, forgets those of the shelf that are gone from there, and then
// follows the changes (base/folder_watch.h) until control.stop is requested; that is its usual end,
// and it returns. Throws Error(kNotFound) where the folder is missing or goes away.
void FollowFolder(Library& library, const std::filesystem::path& folder,
                  const FolderActions& actions, const WorkControl& control);

}  // namespace tome
