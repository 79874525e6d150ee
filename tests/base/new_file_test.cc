#include "tome/base/new_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/scoped_file_limit.h"
#include "tests/temp_folder.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Names(const TempFolder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

TEST(NewFileTest, AppearsWholeWithCommit) {
  const TempFolder folder;
  const auto target = folder / "model.gguf";
  NewFile file(target);
  file.Write("first, ");
  EXPECT_FALSE(std::filesystem::exists(target));
  const std::string second = "second";
  file.Write(std::as_bytes(std::span(second)));
  EXPECT_EQ(file.size(), 13U);
  EXPECT_FALSE(std::filesystem::exists(target));
  file.Commit();
  EXPECT_EQ(FileBytes(target), "first, second");
  EXPECT_THAT(Names(folder), ElementsAre("model.gguf"));
}

TEST(NewFileTest, KeepsTheOrderOfPiecesOfAnySize) {
  const TempFolder folder;
  std::string expected;
  NewFile file(folder / "large");
  for (const size_t size : {size_t{3}, size_t{5} << 20, size_t{1}, size_t{17} << 20, size_t{0},
                            size_t{8} << 20, size_t{4099}}) {
    std::string piece(size, '\0');
    for (char& c : piece)
      c = static_cast<char>(expected.size() + 31 * static_cast<size_t>(&c - piece.data()) % 251);
    file.Write(piece);
    expected += piece;
    EXPECT_EQ(file.size(), expected.size());
  }
  file.Commit();
  EXPECT_TRUE(FileBytes(folder / "large") == expected);
}

TEST(NewFileTest, WithoutCommitNothingIsLeft) {
  const TempFolder folder;
  {
    NewFile file(folder / "a");
    file.Write("half of it");
    EXPECT_EQ(Names(folder).size(), 1U);
  }
  EXPECT_THAT(Names(folder), IsEmpty());
}

TEST(NewFileTest, AnEmptyFileIsAFile) {
  const TempFolder folder;
  NewFile file(folder / "empty");
  file.Commit();
  EXPECT_TRUE(std::filesystem::exists(folder / "empty"));
  EXPECT_EQ(FileBytes(folder / "empty"), "");
}

TEST(NewFileTest, TheOldContentStaysUntilCommitAndIsReplacedByIt) {
  const TempFolder folder;
  const auto target = folder.Write("a", "old and longer than the new");
  {
    NewFile given_up(target);
    given_up.Write("given up");
  }
  EXPECT_EQ(FileBytes(target), "old and longer than the new");
  NewFile file(target);
  file.Write("new");
  EXPECT_EQ(FileBytes(target), "old and longer than the new");
  file.Commit();
  EXPECT_EQ(FileBytes(target), "new");
}

TEST(NewFileTest, TwoWritersOfOneTargetDoNotMix) {
  const TempFolder folder;
  const auto target = folder / "a";
  NewFile first(target);
  NewFile second(target);
  for (int i = 0; i < 100; ++i) {
    first.Write("1");
    second.Write("22");
  }
  second.Commit();
  EXPECT_EQ(FileBytes(target), std::string(200, '2'));
  first.Commit();
  EXPECT_EQ(FileBytes(target), std::string(100, '1'));
  EXPECT_THAT(Names(folder), ElementsAre("a"));
}

TEST(NewFileTest, ATargetInAMissingFolderIsAnErrorThatNamesIt) {
  const TempFolder folder;
  const auto target = folder / "missing" / "model.gguf";
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { NewFile file(target); }));
  EXPECT_THAT(ErrorText([&] { NewFile file(target); }), HasSubstr(target.string()));
}

TEST(NewFileTest, AFolderIsNotReplaced) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "a");
  folder.Write("a/kept", "kept");
  const auto write = [&] {
    NewFile file(folder / "a");
    file.Write("x");
    file.Commit();
  };
  EXPECT_TRUE(Fails(Code::kIo, write));
  EXPECT_THAT(ErrorText(write), HasSubstr((folder / "a").string()));
  EXPECT_EQ(FileBytes(folder / "a/kept"), "kept");
  EXPECT_THAT(Names(folder), ElementsAre("a"));
}

TEST(NewFileTest, AWriteThatFailsLeavesTheOldFileAndNothingElse) {
  const TempFolder folder;
  const auto target = folder.Write("model.gguf", "old");
  std::string text;
  bool limited = false;
  {
    // Nothing may be printed in this scope: the test's own output may be a file.
    const ScopedFileLimit limit(8192);
    limited = limit.set();
    text = ErrorText([&] {
      NewFile file(target);
      for (int i = 0; i < 10; ++i) file.Write(std::string(3000, 'x'));
      file.Commit();
    });
  }
  ASSERT_TRUE(limited);
  EXPECT_THAT(text, HasSubstr("io: " + target.string()));
  EXPECT_EQ(FileBytes(target), "old");
  EXPECT_THAT(Names(folder), ElementsAre("model.gguf"));
}

}  // namespace
}  // namespace tome
