#include "tome/text/sentences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/random_text.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SentencesTest : public testing::Test {
 protected:
  std::vector<std::string> Split(const std::string& text) {
    std::vector<std::string> sentences;
    uint64_t begin = 0;
    for (const uint64_t end : splitter_.Ends(text)) {
      sentences.push_back(text.substr(begin, end - begin));
      begin = end;
    }
    return sentences;
  }

  SentenceSplitter splitter_;
};

TEST_F(SentencesTest, WhiteSpaceBelongsToTheSentenceBefore) {
  EXPECT_THAT(Split("It rained.  We left! Why? "),
              ElementsAre("It rained.  ", "We left! ", "Why? "));
  EXPECT_THAT(Split("no full stop"), ElementsAre("no full stop"));
  EXPECT_THAT(Split(""), IsEmpty());
}

TEST_F(SentencesTest, AbbreviationsAndNumbersDoNotEndASentence) {
  EXPECT_THAT(Split("Mr. Smith met Dr. Jones. They spoke."),
              ElementsAre("Mr. Smith met Dr. Jones. ", "They spoke."));
  EXPECT_THAT(Split("Version 3.14 costs 10.50 euro. Buy it."),
              ElementsAre("Version 3.14 costs 10.50 euro. ", "Buy it."));
}

TEST_F(SentencesTest, ChineseSentencesEndWithTheirClosingQuotes) {
  EXPECT_THAT(Split("下雨了。我们走！为什么？"), ElementsAre("下雨了。", "我们走！", "为什么？"));
  EXPECT_THAT(Split("“你好。”他说。「走吧！」她答。"),
              ElementsAre("“你好。”", "他说。", "「走吧！」", "她答。"));
}

TEST_F(SentencesTest, ALineEndAlwaysEndsASentence) {
  EXPECT_THAT(Split("one line\nanother\n\nlast"),
              ElementsAre("one line\n", "another\n", "\n", "last"));
  EXPECT_THAT(Split("Mr.\nSmith"), ElementsAre("Mr.\n", "Smith"));
}

TEST_F(SentencesTest, EndsAscendToTheSizeAndKeepCharactersWhole) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const std::string text = RandomText(random, random() % 80);
    uint64_t last = 0;
    std::vector<bool> is_end(text.size() + 1, false);
    for (const uint64_t end : splitter_.Ends(text)) {
      EXPECT_GT(end, last) << "seed " << seed;
      EXPECT_EQ(FloorToCodePoint(text, end), end) << "seed " << seed;
      last = end;
      ASSERT_LE(end, text.size()) << "seed " << seed;
      is_end[end] = true;
    }
    EXPECT_EQ(last, text.size()) << "seed " << seed;
    for (size_t i = 0; i < text.size(); ++i) {
      EXPECT_TRUE(text[i] != '\n' || is_end[i + 1]) << "seed " << seed << " offset " << i;
    }
  }
}

TEST(EstimateTokensTest, CountsCjkCharactersAndQuartersOfOthers) {
  EXPECT_EQ(EstimateTokens(""), 0U);
  EXPECT_EQ(EstimateTokens("a"), 1U);
  EXPECT_EQ(EstimateTokens("abcd"), 1U);
  EXPECT_EQ(EstimateTokens("abcde"), 2U);
  EXPECT_EQ(EstimateTokens("软件"), 2U);
  EXPECT_EQ(EstimateTokens("软件。abc"), 3U);
  EXPECT_EQ(EstimateTokens("éééé"), 1U);
  EXPECT_EQ(EstimateTokens("𠀀한カ"), 3U);
}

TEST(EstimateTokensTest, APartNeverCostsMoreThanTheWholeNorTheWholeMoreThanItsParts) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const std::string a = RandomText(random, random() % 20);
    const std::string b = RandomText(random, random() % 20);
    const uint64_t whole = EstimateTokens(a + b);
    EXPECT_LE(whole, EstimateTokens(a) + EstimateTokens(b)) << "seed " << seed;
    EXPECT_GE(whole, EstimateTokens(a)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tome
