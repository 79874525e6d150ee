#include "tome/library/folder_sync.h"

#include <chrono>
#include <string>
#include <system_error>
#include <vector>

#include "tome/base/error.h"
#include "tome/base/folder_watch.h"

namespace tome {
namespace {

// Programs write several files of one change one after the other, and some write a file twice.
constexpr std::chrono::milliseconds kQuiet{500};

class FolderFollower {
 public:
  FolderFollower(Library& library, const std::filesystem::path& folder,
                 const FolderActions& actions, const WorkControl& control)
      : library_(library),
        folder_(std::filesystem::weakly_canonical(folder)),
        watch_(folder),
        actions_(actions),
        control_(control) {}

  void Run() {
    Look();
    for (;;) {
      const FolderChanges changes = watch_.Wait(control_.stop, kQuiet);
      if (changes.incomplete) {
        Look();
        continue;
      }
      if (!changes.removed.empty()) ForgetMissing();
      for (const std::filesystem::path& file : changes.changed) Add(file);
    }
  }

 private:
  // Looks at all files of the folder.
  void Look() {
    ForgetMissing();
    for (const std::filesystem::path& file : watch_.Files()) Add(file);
  }

  void Add(const std::filesystem::path& file) {
    control_.CheckStop();
    actions_.add(file);
  }

  // Forgets the files of the shelf that are no longer in the folder. A file that was replaced, as
  // editors do on saving, is there again by now and is not forgotten.
  void ForgetMissing() {
    const std::string below = folder_.string() + "/";
    std::vector<std::string> missing;
    for (const DocumentRecord& record : library_.List()) {
      for (const std::string& path : record.paths) {
        std::error_code error;
        if (path.starts_with(below) && !std::filesystem::exists(path, error)) {
          missing.push_back(path);
        }
      }
    }
    for (const std::string& path : missing) {
      control_.CheckStop();
      if (const auto removed = library_.Forget(path, control_)) actions_.removed(*removed);
    }
  }

  Library& library_;
  const std::filesystem::path folder_;
  FolderWatch watch_;
  const FolderActions& actions_;
  const WorkControl& control_;
};

}  // namespace

void FollowFolder(Library& library, const std::filesystem::path& folder,
                  const FolderActions& actions, const WorkControl& control) {
  try {
    FolderFollower(library, folder, actions, control).Run();
  } catch (const Error& error) {
    if (error.code() != Code::kCancelled) throw;
  }
}

}  // namespace tome
