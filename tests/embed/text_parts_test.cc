#include "tome/embed/text_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/random_text.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

using testing::ElementsAre;
using Parts = std::vector<std::string_view>;

// Counts a token for every character, and two around the text.
int64_t CountCharacters(std::string_view text) {
  return static_cast<int64_t>(CountCodePoints(text)) + 2;
}

Parts Split(std::string_view text, int64_t max_tokens) {
  SentenceSplitter sentences;
  return SplitToFit(text, max_tokens, CountCharacters, sentences);
}

TEST(TextPartsTest, ATextThatFitsIsItsOnlyPart) {
  EXPECT_THAT(Split("", 8), ElementsAre(""));
  EXPECT_THAT(Split("abcdef", 8), ElementsAre("abcdef"));
}

TEST(TextPartsTest, PartsEndAtSentences) {
  EXPECT_THAT(Split("The lamp is out. Nobody came. The sea was calm.", 34),
              ElementsAre("The lamp is out. ", "Nobody came. The sea was calm."));
  EXPECT_THAT(Split("守灯人走了。灯灭了。没有人来过这里。", 14),
              ElementsAre("守灯人走了。灯灭了。", "没有人来过这里。"));
}

TEST(TextPartsTest, PartsEndBeforeWordsWhereNoSentenceEnds) {
  EXPECT_THAT(Split("one two three four five six", 17),
              ElementsAre("one two three ", "four five six"));
}

TEST(TextPartsTest, ALongWordIsCutBetweenCharacters) {
  const std::string word(100, 'x');
  const Parts parts = Split(word, 32);
  EXPECT_GE(parts.size(), 4U);
  for (const std::string_view part : parts) EXPECT_LE(CountCharacters(part), 32);
}

TEST(TextPartsTest, ACharacterIsNeverCut) {
  EXPECT_THAT(Split("灯塔", 2), ElementsAre("灯", "塔"));
}

TEST(TextPartsTest, PartsOfAnyTextFitAndGiveTheTextBack) {
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    const std::string text = RandomText(random, 1 + random() % 600);
    const auto max_tokens = static_cast<int64_t>(3 + random() % 60);
    std::string joined;
    for (const std::string_view part : Split(text, max_tokens)) {
      EXPECT_LE(CountCharacters(part), max_tokens);
      EXPECT_TRUE(IsValidUtf8(part));
      EXPECT_FALSE(part.empty());
      joined += part;
    }
    EXPECT_EQ(joined, text);
  }
}

TEST(TextPartsTest, PartsAreOfAboutTheSameLength) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "word ";
  const Parts parts = Split(text, 512);
  EXPECT_LE(parts.size(), 14U);
  for (const std::string_view part : parts) EXPECT_GE(part.size(), 256U);
}

}  // namespace
}  // namespace tome
