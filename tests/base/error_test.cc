#include "tome/base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

namespace tome {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr Code kAllCodes[] = {Code::kInvalidArgument, Code::kNotFound,    Code::kCorrupt,
                              Code::kUnsupported,     Code::kOutOfMemory, Code::kIo,
                              Code::kCancelled,       Code::kUnavailable};

TEST(ErrorTest, CodesHaveDistinctNamesThatReadBackAsTheCode) {
  std::set<std::string_view> names;
  for (const Code code : kAllCodes) {
    names.insert(CodeName(code));
    EXPECT_EQ(CodeFromName(CodeName(code)), code);
  }
  EXPECT_EQ(names.size(), std::size(kAllCodes));
  EXPECT_EQ(CodeName(Code::kNotFound), "not_found");
}

TEST(ErrorTest, ANameFromOutsideThatIsNoCodeMeansCorrupt) {
  EXPECT_EQ(CodeFromName(""), Code::kCorrupt);
  EXPECT_EQ(CodeFromName("Not_Found"), Code::kCorrupt);
  EXPECT_EQ(CodeFromName("exploded"), Code::kCorrupt);
}

TEST(ErrorTest, ContextGoesBeforeTheMessageAndKeepsTheCode) {
  const Error error = Error(Code::kUnsupported, "is encrypted").In("page 3").In("novel.pdf");
  EXPECT_EQ(error.code(), Code::kUnsupported);
  EXPECT_STREQ(error.what(), "novel.pdf: page 3: is encrypted");
}

TEST(ErrorTest, ContextKeepsTheAdvice) {
  const std::vector advice{Advice::Lower(Setting::kMaxTokens), Advice::Use(Setting::kKv, "q8")};
  const Error error(Code::kOutOfMemory, "no room", advice);
  EXPECT_EQ(error.advice(), advice);
  EXPECT_EQ(error.In("a.txt").In("reading").advice(), advice);
  EXPECT_STREQ(error.In("a.txt").what(), "a.txt: no room");
}

TEST(ErrorTest, ASystemErrorSaysWhatAndWhy) {
  const Error denied = SystemError("a.txt", EACCES);
  EXPECT_EQ(denied.code(), Code::kIo);
  EXPECT_STREQ(denied.what(), "a.txt: Permission denied");
  EXPECT_EQ(SystemError("a.txt", ENOENT).code(), Code::kNotFound);
  EXPECT_EQ(SystemError("a.txt", ENOMEM).code(), Code::kOutOfMemory);
}

TEST(ErrorTest, AFullDiskSaysWhatToDo) {
  const Error full = SystemError("library.db", ENOSPC);
  EXPECT_EQ(full.code(), Code::kIo);
  EXPECT_THAT(full.what(), StartsWith("library.db: No space left"));
  EXPECT_THAT(full.what(), EndsWith("; free some space and try again"));
}

TEST(ErrorDeathTest, ABrokenInvariantEndsTheProgramAndNamesItself) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(TOME_CHECK(1 + 1 == 3), HasSubstr("1 + 1 == 3 is false"));
  TOME_CHECK(1 + 1 == 2);
}

}  // namespace
}  // namespace tome
