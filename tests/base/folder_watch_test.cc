#include "tome/base/folder_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>

#include <chrono>
#include <stop_token>
#include <thread>

#include "tests/expect_error.h"
#include "tests/temp_folder.h"

namespace tome {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// The kernel queues events before the call that causes them returns, so no test waits for a change
// to be seen.
constexpr std::chrono::milliseconds kQuiet{20};

class FolderWatchTest : public testing::Test {
 protected:
  fs::path In(const fs::path& name) const { return folder_.path() / name; }
  FolderChanges Wait(FolderWatch& watch) { return watch.Wait({}, kQuiet); }

  const TempFolder folder_;
};

TEST_F(FolderWatchTest, ListsFilesOfAllFoldersButHiddenOnesAndLinks) {
  fs::create_directories(In("a/b"));
  fs::create_directories(In(".git"));
  WriteFile(In("a/b/2.txt"), "2");
  WriteFile(In("1.txt"), "1");
  WriteFile(In(".hidden"), "x");
  WriteFile(In(".git/config"), "x");
  fs::create_symlink(In("1.txt"), In("link.txt"));
  fs::create_directory_symlink(In(".git"), In("linked"));
  EXPECT_THAT(FolderWatch(folder_.path()).Files(), ElementsAre(In("1.txt"), In("a/b/2.txt")));
}

TEST_F(FolderWatchTest, ReportsWrittenMovedAndDeletedFilesTogether) {
  fs::create_directory(In("sub"));
  WriteFile(In("old.txt"), "old");
  WriteFile(In("sub/gone.txt"), "gone");
  WriteFile(In("stays.txt"), "stays");
  FolderWatch watch(folder_.path());
  WriteFile(In("sub/new.txt"), "new");
  WriteFile(In("stays.txt"), "changed");
  fs::rename(In("old.txt"), In("sub/moved.txt"));
  fs::remove(In("sub/gone.txt"));
  const FolderChanges changes = Wait(watch);
  EXPECT_THAT(changes.changed,
              UnorderedElementsAre(In("sub/new.txt"), In("stays.txt"), In("sub/moved.txt")));
  EXPECT_THAT(changes.removed, UnorderedElementsAre(In("old.txt"), In("sub/gone.txt")));
  EXPECT_FALSE(changes.incomplete);
}

TEST_F(FolderWatchTest, AFileThatIsStillBeingWrittenIsNotReported) {
  FolderWatch watch(folder_.path());
  std::ofstream growing(In("growing.txt"));
  growing << "half" << std::flush;
  WriteFile(In("whole.txt"), "whole");
  EXPECT_THAT(Wait(watch).changed, UnorderedElementsAre(In("whole.txt")));
  growing << "of it";
  growing.close();
  EXPECT_THAT(Wait(watch).changed, UnorderedElementsAre(In("growing.txt")));
}

TEST_F(FolderWatchTest, ReportsAHardLinkAndNoSymbolicOne) {
  WriteFile(In("one.txt"), "one");
  FolderWatch watch(folder_.path());
  fs::create_symlink(In("one.txt"), In("soft.txt"));
  fs::create_hard_link(In("one.txt"), In("two.txt"));
  EXPECT_THAT(Wait(watch).changed, UnorderedElementsAre(In("two.txt")));
}

TEST_F(FolderWatchTest, WatchesNewFoldersAndWhatTheyHoldAlready) {
  const TempFolder elsewhere;
  fs::create_directories(elsewhere / "tree/deep");
  WriteFile(elsewhere / "tree/deep/1.txt", "1");
  FolderWatch watch(folder_.path());
  fs::rename(elsewhere / "tree", In("tree"));
  EXPECT_THAT(Wait(watch).changed, UnorderedElementsAre(In("tree/deep/1.txt")));
  WriteFile(In("tree/deep/2.txt"), "2");
  EXPECT_THAT(Wait(watch).changed, UnorderedElementsAre(In("tree/deep/2.txt")));
}

TEST_F(FolderWatchTest, AFolderThatIsMovedAwayIsForgotten) {
  const TempFolder elsewhere;
  fs::create_directories(In("tree/deep"));
  WriteFile(In("tree/deep/1.txt"), "1");
  FolderWatch watch(folder_.path());
  fs::rename(In("tree"), elsewhere / "tree");
  WriteFile(elsewhere / "tree/deep/2.txt", "2");
  WriteFile(In("here.txt"), "here");
  const FolderChanges changes = Wait(watch);
  EXPECT_THAT(changes.changed, UnorderedElementsAre(In("here.txt")));
  EXPECT_THAT(changes.removed, UnorderedElementsAre(In("tree")));
}

TEST_F(FolderWatchTest, AFileThatIsDeletedAndWrittenAnewHasChanged) {
  WriteFile(In("1.txt"), "1");
  FolderWatch watch(folder_.path());
  fs::remove(In("1.txt"));
  WriteFile(In("1.txt"), "one");
  const FolderChanges changes = Wait(watch);
  EXPECT_THAT(changes.changed, UnorderedElementsAre(In("1.txt")));
  EXPECT_THAT(changes.removed, IsEmpty());
}

TEST_F(FolderWatchTest, SaysThatEventsWereLost) {
  std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
  int most = 0;
  limit >> most;
  if (most <= 0 || most > 100'000) GTEST_SKIP() << "the queue of this system is too long to fill";
  WriteFile(In("odd.txt"), "1");
  FolderWatch watch(folder_.path());
  // Each rename is two events. Renames, unlike writes, cost no disk.
  for (int i = 0; i < most; i += 4) {
    fs::rename(In("odd.txt"), In("even.txt"));
    fs::rename(In("even.txt"), In("odd.txt"));
  }
  fs::create_directory(In("unseen"));
  EXPECT_TRUE(Wait(watch).incomplete);
  // The folder that was made unseen is watched all the same.
  WriteFile(In("unseen/1.txt"), "1");
  EXPECT_THAT(Wait(watch).changed, testing::Contains(In("unseen/1.txt")));
}

TEST_F(FolderWatchTest, EndsOnAStopRequestAndWithTheFolder) {
  fs::create_directory(In("root"));
  FolderWatch watch(In("root"));
  std::stop_source source;
  std::jthread stopper([&] { source.request_stop(); });
  EXPECT_THAT(ErrorText([&] { watch.Wait(source.get_token(), kQuiet); }),
              testing::StartsWith("cancelled"));
  fs::remove(In("root"));
  EXPECT_THAT(ErrorText([&] { Wait(watch); }), testing::HasSubstr("was removed or moved away"));
}

TEST_F(FolderWatchTest, RefusesWhatIsNoFolder) {
  WriteFile(In("file.txt"), "x");
  EXPECT_THAT(ErrorText([&] { FolderWatch{In("missing")}; }), testing::HasSubstr("no such folder"));
  EXPECT_THAT(ErrorText([&] { FolderWatch{In("file.txt")}; }), testing::HasSubstr("is no folder"));
}

}  // namespace
}  // namespace tome
