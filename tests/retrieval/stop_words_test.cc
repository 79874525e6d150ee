#include "tome/retrieval/stop_words.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/temp_folder.h"
#include "tome/text/han_folding.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Returns the words in the order of the source, because binary search finds words only in a sorted
// list.
std::vector<std::string> ListInSource(const std::string& name) {
  const std::string source = FileBytes(TOME_SOURCE_DIR "/src/tome/retrieval/stop_words.cc");
  const size_t begin = source.find("{", source.find(name + "[]"));
  const size_t end = source.find("};", begin);
  std::vector<std::string> words;
  for (size_t at = source.find('"', begin); at < end; at = source.find('"', at + 1)) {
    const size_t close = source.find('"', at + 1);
    words.push_back(source.substr(at + 1, close - at - 1));
    at = close;
  }
  return words;
}

std::string Folded(std::string_view text) {
  std::string folded;
  for (uint64_t offset = 0; offset < text.size();) {
    AppendUtf8(FoldHan(NextCodePoint(text, offset)), folded);
  }
  return folded;
}

TEST(StopWordsTest, TheEnglishListIsSortedAndEachOfItsWordsIsFound) {
  const std::vector<std::string> words = ListInSource("kEnglish");
  ASSERT_GT(words.size(), 90U);
  for (size_t i = 0; i < words.size(); ++i) {
    EXPECT_TRUE(IsEnglishStopWord(words[i])) << words[i];
    EXPECT_TRUE(i == 0 || words[i - 1] < words[i]) << words[i];
  }
}

TEST(StopWordsTest, EachWordOfTheChineseListIsFound) {
  const std::vector<std::string> words = ListInSource("kChinese");
  ASSERT_GT(words.size(), 100U);
  for (const std::string& word : words) EXPECT_TRUE(IsChineseStopWord(Folded(word))) << word;
}

TEST(StopWordsTest, TheLongestQuestionPhraseIsFound) {
  const std::vector<std::string> phrases = ListInSource("kChineseQuestionPhrases");
  ASSERT_GT(phrases.size(), 50U);
  for (const std::string& phrase : phrases) {
    EXPECT_GE(ChineseQuestionPhraseAt(Folded(phrase)), phrase.size()) << phrase;
    EXPECT_EQ(ChineseQuestionPhraseAt("软" + phrase), 0U) << phrase;
  }
  EXPECT_EQ(ChineseQuestionPhraseAt(Folded("什么")), 6U);
  EXPECT_EQ(ChineseQuestionPhraseAt(Folded("什么时候来")), 12U);
  EXPECT_EQ(ChineseQuestionPhraseAt(""), 0U);
  EXPECT_EQ(ChineseQuestionPhraseAt("when"), 0U);
}

TEST(StopWordsTest, WordsThatCarryATopicAreNone) {
  for (const char* word : {"", "debian", "The", "package", "th", "yourss", "的"}) {
    EXPECT_FALSE(IsEnglishStopWord(word)) << word;
  }
  for (const char* word : {"", "软件", "件", "the", "是什么包"}) {
    EXPECT_FALSE(IsChineseStopWord(word)) << word;
  }
}

}  // namespace
}  // namespace tome
