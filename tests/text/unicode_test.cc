#include "tome/text/unicode.h"

#include <gtest/gtest.h>

namespace tome {
namespace {

TEST(UnicodeTest, RefusesIllFormedUtf8) {
  EXPECT_TRUE(IsValidUtf8("plain, 中文, \U0001F600"));
  EXPECT_FALSE(IsValidUtf8("\xC0\xAF"));            // overlong
  EXPECT_FALSE(IsValidUtf8("\xED\xA0\x80"));        // a surrogate
  EXPECT_FALSE(IsValidUtf8("\xF4\x90\x80\x80"));    // above U+10FFFF
  EXPECT_FALSE(IsValidUtf8("0123456789\xE4\xB8"));  // cut inside a character
}

TEST(UnicodeTest, NormalizeTextRepairsComposesAndUnifiesLineEnds) {
  EXPECT_EQ(NormalizeText("a\r\nb\rc\f"
                          "d"),
            "a\nb\nc\nd");
  EXPECT_EQ(NormalizeText("e\xCC\x81"), "\xC3\xA9");  // e + U+0301 composes to é
  EXPECT_EQ(NormalizeText("\xEF\xBB\xBFx"), "x");
  EXPECT_EQ(NormalizeText(std::string("a\0\x01"
                                      "b",
                                      4)),
            "ab");
  EXPECT_EQ(NormalizeText("a\xFF"
                          "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(NormalizeText("\tx"), "\tx");
}

TEST(UnicodeTest, NormalizesLongTextInPiecesAsAWhole) {
  std::string line = "e\xCC\x81 and \xE4\xB8\xAD\n";
  std::string text;
  while (text.size() < (size_t{17} << 20)) text += line;
  const std::string normalized = NormalizeText(text);
  EXPECT_EQ(normalized.find("\xCC\x81"), std::string::npos);
  EXPECT_EQ(normalized.size(), text.size() / line.size() * (line.size() - 1));
}

TEST(UnicodeTest, CollapsesEveryKindOfWhiteSpace) {
  EXPECT_EQ(CollapseWhiteSpace("  a \n\t b\xC2\xA0\xE3\x80\x80"
                               "c \n"),
            "a b c");
  EXPECT_EQ(CollapseWhiteSpace(" \n "), "");
  EXPECT_EQ(CollapseWhiteSpace("a\xE2\x80\x8B"
                               "b"),
            "ab");
}

TEST(UnicodeTest, CountsAndStepsThroughCodePoints) {
  EXPECT_EQ(CountCodePoints("a中\U0001F600"), 3U);
  uint64_t offset = 1;
  EXPECT_EQ(NextCodePoint("a中b", offset), U'中');
  EXPECT_EQ(offset, 4U);
  EXPECT_EQ(FloorToCodePoint("a中b", 3), 1U);
  EXPECT_EQ(FloorToCodePoint("a中b", 4), 4U);
}

TEST(UnicodeTest, KnowsTheScriptsWithoutSpaces) {
  for (const char32_t c : std::u32string_view(U"中ひカ한々")) {
    EXPECT_TRUE(IsCjk(c)) << static_cast<uint32_t>(c);
  }
  for (const char32_t c : std::u32string_view(U"aé。，「Я")) {
    EXPECT_FALSE(IsCjk(c)) << static_cast<uint32_t>(c);
  }
}

TEST(UnicodeTest, KnowsLettersAndDigits) {
  for (const char32_t c : std::u32string_view(U"aZ9éßяا中カ한９\U00020000")) {
    EXPECT_TRUE(IsLetterOrDigit(c)) << static_cast<uint32_t>(c);
  }
  for (const char32_t c : std::u32string_view(U" _-。“×→■😀\u0301\uFFFD")) {
    EXPECT_FALSE(IsLetterOrDigit(c)) << static_cast<uint32_t>(c);
  }
}

}  // namespace
}  // namespace tome
