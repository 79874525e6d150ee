#include "tome/base/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/expect_error.h"
#include "tests/temp_folder.h"

namespace tome {
namespace {

using testing::HasSubstr;

std::string Text(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST(MappedFileTest, ShowsTheBytesOfTheFile) {
  const TempFolder folder;
  std::string bytes;
  for (int i = 0; i < 100000; ++i) bytes.push_back(static_cast<char>(i * 7));
  for (const size_t size : {size_t{1}, size_t{4095}, size_t{4096}, size_t{4097}, bytes.size()}) {
    const MappedFile file(folder.Write("file", bytes.substr(0, size)));
    EXPECT_EQ(Text(file), bytes.substr(0, size));
  }
}

TEST(MappedFileTest, AdviceChangesNoByte) {
  const TempFolder folder;
  std::string bytes;
  for (int i = 0; i < 5000000; ++i) bytes.push_back(static_cast<char>(i * 7 % 251));
  const MappedFile file(folder.Write("file", bytes));
  PreferLargePages(file.bytes());
  PopulatePages(file.bytes().subspan(4090, 3000000));
  PrefetchPages(file.bytes().subspan(100));
  ReleasePages(file.bytes().subspan(5000, 2000000));
  PopulatePages({});
  EXPECT_TRUE(Text(file) == bytes);
}

TEST(MappedFileTest, AnEmptyFileIsAnEmptySpan) {
  const TempFolder folder;
  EXPECT_TRUE(MappedFile(folder.Write("empty", "")).bytes().empty());
}

TEST(MappedFileTest, KeepsWhatItMappedWhenTheNameIsGivenToAnother) {
  const TempFolder folder;
  const MappedFile file(folder.Write("model", "the old content"));
  std::filesystem::rename(folder.Write("new", "other"), folder / "model");
  EXPECT_EQ(Text(file), "the old content");
  std::filesystem::remove(folder / "model");
  EXPECT_EQ(Text(file), "the old content");
}

TEST(MappedFileTest, AMoveHandsOverAndLeavesEmpty) {
  const TempFolder folder;
  MappedFile first(folder.Write("a", "aaaa"));
  MappedFile second(std::move(first));
  EXPECT_TRUE(first.bytes().empty());  // NOLINT(bugprone-use-after-move): the test is about it
  EXPECT_EQ(Text(second), "aaaa");
  MappedFile third(folder.Write("b", "bb"));
  third = std::move(second);
  EXPECT_EQ(Text(third), "aaaa");
  MappedFile& same = third;
  third = std::move(same);
  EXPECT_EQ(Text(third), "aaaa");
}

TEST(MappedFileTest, ErrorsNameThePath) {
  const TempFolder folder;
  const auto missing = folder / "missing.gguf";
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { MappedFile file(missing); }));
  EXPECT_THAT(ErrorText([&] { MappedFile file(missing); }), HasSubstr(missing.string()));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { MappedFile file(folder.path()); }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { MappedFile file("/dev/zero"); }));
}

}  // namespace
}  // namespace tome
