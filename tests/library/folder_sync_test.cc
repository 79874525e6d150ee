#include "tome/library/folder_sync.h"

#include <gmock/gmock.h>

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/library/library_fixture.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FolderSyncTest : public LibraryFixture {
 protected:
  void SetUp() override { std::filesystem::create_directory(watched()); }
  std::filesystem::path watched() const { return folder_ / "watched"; }

  // Follows the folder. After each change of the shelf the next step is taken; after the last step
  // it stops. Returns the names of the files that were added, and "-name" for removed documents.
  std::vector<std::string> Follow(Library& library, std::vector<std::function<void()>> steps) {
    std::stop_source source;
    std::vector<std::string> changes;
    size_t step = 0;
    const auto next = [&](const std::string& change) {
      changes.push_back(change);
      if (step < steps.size()) {
        steps[step++]();
      } else {
        source.request_stop();
      }
    };
    FollowFolder(
        library, watched(),
        {.add =
             [&](const std::filesystem::path& file) {
               library.Add(file, {});
               next(file.filename().string());
             },
         .removed =
             [&](const RemovedDocument& removed) {
               next("-" + std::filesystem::path(removed.record.paths.at(0)).filename().string());
             }},
        {.stop = source.get_token(), .progress = {}});
    return changes;
  }

  std::vector<std::string> Paths(Library& library) {
    std::vector<std::string> names;
    for (const DocumentRecord& record : library.List()) {
      for (const std::string& path : record.paths) {
        names.push_back(std::filesystem::path(path).filename().string());
      }
    }
    return names;
  }
};

TEST_F(FolderSyncTest, FollowsWhatComesChangesAndGoes) {
  WriteFile(watched() / "a.txt", "first");
  Library library = Open();
  const auto changes = Follow(library, {
                                           [&] { WriteFile(watched() / "b.txt", "second"); },
                                           [&] { WriteFile(watched() / "a.txt", "changed"); },
                                           [&] { std::filesystem::remove(watched() / "b.txt"); },
                                       });
  EXPECT_THAT(changes, ElementsAre("a.txt", "b.txt", "a.txt", "-b.txt"));
  EXPECT_THAT(Paths(library), ElementsAre("a.txt"));
}

TEST_F(FolderSyncTest, BeginsWithWhatHappenedMeanwhile) {
  WriteFile(watched() / "gone.txt", "gone");
  WriteFile(folder_ / "outside.txt", "outside");
  Library library = Open();
  library.Add(watched() / "gone.txt", {});
  library.Add(folder_ / "outside.txt", {});
  std::filesystem::remove(watched() / "gone.txt");
  std::filesystem::remove(folder_ / "outside.txt");
  WriteFile(watched() / "new.txt", "new");
  EXPECT_THAT(Follow(library, {[] {}}), ElementsAre("-gone.txt", "new.txt"));
  // What is not in the folder is not its business.
  EXPECT_THAT(Paths(library), ElementsAre("outside.txt", "new.txt"));
}

TEST_F(FolderSyncTest, ADocumentStaysWhileAnotherFileGivesIt) {
  WriteFile(watched() / "a.txt", "same");
  WriteFile(watched() / "b.txt", "same");
  Library library = Open();
  const auto changes = Follow(library, {[] {},
                                        [&] {
                                          std::filesystem::remove(watched() / "a.txt");
                                          WriteFile(watched() / "c.txt", "other");
                                        }});
  EXPECT_THAT(changes, ElementsAre("a.txt", "b.txt", "c.txt"));
  EXPECT_THAT(Paths(library), ElementsAre("b.txt", "c.txt"));
  // The document was read once for both files.
  EXPECT_EQ(Reads(), 2U);
}

TEST_F(FolderSyncTest, ForgettingAnUnknownFileDoesNothing) {
  Library library = Open();
  EXPECT_FALSE(library.Forget("/nowhere.txt", {}));
}

TEST_F(FolderSyncTest, AMissingFolderIsAnError) {
  Library library = Open();
  EXPECT_TRUE(
      Fails(Code::kNotFound, [&] { FollowFolder(library, watched() / "missing", {}, {}); }));
}

}  // namespace
}  // namespace tome
