#include "tome/text/encoding.h"

#include <gtest/gtest.h>

#include "tests/text/encode.h"
#include "tome/base/error.h"

namespace tome {
namespace {

constexpr uint64_t kPlenty = uint64_t{1} << 30;

TEST(EncodingTest, KnowsNamesInAnySpelling) {
  EXPECT_EQ(CanonicalEncoding("utf-8"), "UTF-8");
  EXPECT_EQ(CanonicalEncoding("UTF8"), "UTF-8");
  EXPECT_EQ(CanonicalEncoding("utf-16le"), "UTF-16LE");
  EXPECT_EQ(CanonicalEncoding("big5"), "Big5");
  EXPECT_EQ(CanonicalEncoding("Shift-JIS"), "Shift_JIS");
  EXPECT_EQ(CanonicalEncoding("windows-31j"), "Shift_JIS");
  EXPECT_EQ(CanonicalEncoding("koi8-r"), "KOI8-R");
}

TEST(EncodingTest, TakesANameForTheSupersetThatFilesMeanByIt) {
  for (const char* name : {"GB2312", "gbk", "cp936", "GB18030", "gb_2312-80"}) {
    EXPECT_EQ(CanonicalEncoding(name), "GB18030") << name;
  }
  EXPECT_EQ(CanonicalEncoding("ISO-8859-1"), "windows-1252");
  EXPECT_EQ(CanonicalEncoding("EUC-KR"), "windows-949");
}

TEST(EncodingTest, CanonicalNamesStayThemselves) {
  for (const char* name : {"GB2312", "latin1", "EUC-KR", "tis-620", "Big5", "EUC-JP", "UTF-16",
                           "ISO-2022-JP", "HZ-GB-2312", "windows-1251", "KOI8-R", "sjis"}) {
    const std::string canonical = RequireEncoding(name);
    EXPECT_EQ(CanonicalEncoding(canonical), canonical);
    EXPECT_NO_THROW(DecodeToUtf8("abc", canonical, kPlenty));
  }
}

TEST(EncodingTest, RefusesUnknownAndCraftedNames) {
  for (const char* name :
       {"", "klingon", "../../etc/passwd", "UTF-16,version=1", "a b", "utf-8\n"}) {
    EXPECT_EQ(CanonicalEncoding(name), std::nullopt) << name;
  }
  EXPECT_EQ(CanonicalEncoding(std::string(100'000, 'x')), std::nullopt);
  try {
    RequireEncoding("klingon");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_NE(std::string(error.what()).find("'klingon'"), std::string::npos);
  }
}

TEST(EncodingTest, DecodesWhatIcuEncodes) {
  const std::string text = "第一章 abc。\n漢字";
  for (const char* encoding : {"GB18030", "Big5", "UTF-16LE", "UTF-16BE", "UTF-32LE"}) {
    const std::string word = encoding == std::string_view("Big5") ? "第一章 abc。\n漢字" : text;
    const Decoded decoded = DecodeToUtf8(Encode(word, encoding), encoding, kPlenty);
    EXPECT_EQ(decoded.utf8, word) << encoding;
    EXPECT_EQ(decoded.errors, 0U);
  }
  EXPECT_EQ(DecodeToUtf8("\x87\x40\\", "Shift_JIS", kPlenty).utf8, "①\\");
  EXPECT_EQ(DecodeToUtf8("\x93"
                         "caf\xE9\x94",
                         "windows-1252", kPlenty)
                .utf8,
            "“café”");
}

TEST(EncodingTest, CountsWhatHasNoMeaning) {
  const Decoded decoded = DecodeToUtf8("a\xFF\xFF z", "GB18030", kPlenty);
  EXPECT_EQ(decoded.utf8.find('a'), 0U);
  EXPECT_GE(decoded.errors, 1U);
  EXPECT_NE(decoded.utf8.find("\xEF\xBF\xBD"), std::string::npos);
  EXPECT_EQ(DecodeToUtf8("a\xD8", "GB18030", kPlenty).errors, 1U);  // cut inside the last character
}

TEST(EncodingTest, DecodesLongTextInPiecesAsAWhole) {
  std::string text;
  while (text.size() < (size_t{1} << 20)) text += "汉字 and more, ";
  EXPECT_EQ(DecodeToUtf8(Encode(text, "GB18030"), "GB18030", kPlenty).utf8, text);
}

TEST(EncodingTest, RefusesMoreThanTheLimit) {
  const std::string bytes(1000, 'x');
  EXPECT_EQ(DecodeToUtf8(bytes, "GB18030", 1000).utf8, bytes);
  try {
    DecodeToUtf8(bytes, "GB18030", 999);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kOutOfMemory);
  }
}

}  // namespace
}  // namespace tome
