#include "tome/retrieval/excerpt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/random_text.h"
#include "tome/documents/passages.h"
#include "tome/retrieval/question.h"

namespace tome {
namespace {

class ExcerptTest : public testing::Test {
 protected:
  std::vector<TermValue> Values(const std::vector<std::pair<std::string, double>>& phrases) {
    std::vector<TermValue> values;
    for (const auto& [phrase, value] : phrases) {
      values.push_back({.stream = PhraseStream(phrase, analyzer_), .value = value});
    }
    return values;
  }
  std::string Trim(const std::string& text,
                   const std::vector<std::pair<std::string, double>>& phrases,
                   const std::vector<TextSpan>& headings = {},
                   LineBreaks line_breaks = LineBreaks::kHard) {
    const TextSpan span = excerpter_.Trim(text, {.begin = 0, .end = text.size()}, headings,
                                          line_breaks, Values(phrases));
    return text.substr(span.begin, span.size());
  }

  Analyzer analyzer_;
  Excerpter excerpter_{analyzer_};
};

// Each sentence is its own paragraph, so that no sentence takes the next one along.
constexpr const char* kEnglish =
    "The weather was fine.\n\nEdit the file sources.list first.\n\nThen run apt update.\n\n"
    "Nobody knew why.";

TEST_F(ExcerptTest, TakesTheSentenceThatHoldsTheTerms) {
  EXPECT_EQ(Trim(kEnglish, {{"sources.list", 1}}), "Edit the file sources.list first.");
  EXPECT_EQ(Trim(kEnglish, {{"nobody", 1}, {"know", 1}}), "Nobody knew why.");
}

TEST_F(ExcerptTest, TakesTheShortestRunThatHoldsAll) {
  EXPECT_EQ(Trim(kEnglish, {{"file", 1}, {"update", 1}}),
            "Edit the file sources.list first.\n\nThen run apt update.");
}

TEST_F(ExcerptTest, LeavesOutATermWhoseSentencesCostMoreThanItIsWorth) {
  EXPECT_EQ(Trim(kEnglish, {{"sources.list", 1}, {"why", 0.001}}),
            "Edit the file sources.list first.");
}

TEST_F(ExcerptTest, AmongEqualsTheFirstAndShortestWins) {
  EXPECT_EQ(Trim("A cat sat.\n\nA cat sat.\n\nA cat sat.", {{"cat", 1}}), "A cat sat.");
  const std::string text = "One cat here. One dog here. Two cat here.";
  const std::vector<TermValue> values = Values({{"cat", 1}});
  EXPECT_EQ(excerpter_.Trim(text, {0, text.size()}, {}, LineBreaks::kHard, values).begin, 0U);
}

TEST_F(ExcerptTest, APhraseMustStandTogetherInOneSentence) {
  EXPECT_EQ(Trim("The list of sources. See sources list now.", {{"sources list", 1}}),
            "See sources list now.");
}

TEST_F(ExcerptTest, WorksOnChinese) {
  const std::string text = "今天天气很好。软件包由仓库管理。我们出去走走吧！";
  EXPECT_EQ(Trim(text, {{"软件", 1}, {"仓库", 1}}), "软件包由仓库管理。我们出去走走吧！");
  EXPECT_EQ(Trim(text, {{"走", 1}}), "我们出去走走吧！");
}

TEST_F(ExcerptTest, TakesTheNextSentenceOfTheParagraphAlongWhereItFits) {
  EXPECT_EQ(Trim("Before. The rg command is fast. It skips files. After.", {{"rg", 1}}),
            "The rg command is fast. It skips files.");
  EXPECT_EQ(Trim("The rg command is fast.\n\nIt skips files.", {{"rg", 1}}),
            "The rg command is fast.");
  std::string words;
  for (int i = 0; i < 100; ++i) words += " word";
  EXPECT_EQ(Trim("The rg command is fast. It skips" + words + ".", {{"rg", 1}}),
            "The rg command is fast.");
}

TEST_F(ExcerptTest, TakesNoHeadingWhereThereIsOtherText) {
  const std::string text = "Apt sources\n\nThe file is described here.";
  EXPECT_EQ(Trim(text, {{"apt", 1}, {"sources", 1}}, {{0, 11}}), "The file is described here.");
  EXPECT_EQ(Trim(text.substr(0, 11), {{"apt", 1}}, {{0, 11}}), "Apt sources");
}

TEST_F(ExcerptTest, KeepsToAQuotesLengthButNeverTearsASentence) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "Sentence with word" + std::to_string(i) + " in it. ";
  text += "The last one.";
  const std::string quote = Trim(text, {{"word0", 1}, {"word59", 1}, {"word5", 1}});
  EXPECT_LE(EstimateTokens(quote), kQuoteTokens);
  std::string endless = "Short. A sentence";
  for (int i = 0; i < 200; ++i) endless += " of many words";
  endless += " with needle.";
  EXPECT_EQ(Trim(endless, {{"needle", 1}}), endless.substr(7));
}

TEST_F(ExcerptTest, AWrappedSentenceOfSoftTextStaysWhole) {
  const std::string text = "First one. The needle\nis wrapped. Last.";
  EXPECT_EQ(Trim(text, {{"needle", 1}}, {}, LineBreaks::kSoft), "The needle\nis wrapped. Last.");
}

TEST_F(ExcerptTest, WithoutTermsGivesASentence) {
  EXPECT_EQ(Trim("One.\n\nTwo.", {}), "One.");
  EXPECT_EQ(Trim("One.\n\nTwo.", {{"absent", 1}}), "One.");
}

TEST_F(ExcerptTest, IsARunOfWholeSentencesInsideThePassage) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    std::mt19937 random(seed);
    const std::string text = "x" + RandomText(random, random() % 60) + "x";
    // Passages begin and end at borders of sentences, as CutPassages makes them.
    SentenceSplitter splitter;
    const auto sentences = Sentences(text, {0, text.size()}, LineBreaks::kHard, splitter);
    const size_t first = random() % sentences.size();
    const size_t last = first + random() % (sentences.size() - first);
    const TextSpan passage{sentences[first].begin, sentences[last].end};
    const TextSpan span = excerpter_.Trim(text, passage, {}, LineBreaks::kHard,
                                          Values({{"running", 1}, {"软件", 0.5}, {"10000", 2}}));
    EXPECT_GE(span.begin, passage.begin) << "seed " << seed;
    EXPECT_LE(span.end, passage.end) << "seed " << seed;
    EXPECT_LT(span.begin, span.end) << "seed " << seed;
    const auto own = Sentences(text, passage, LineBreaks::kHard, splitter);
    const auto is = [&](auto member) {
      return std::any_of(own.begin(), own.end(), [&](const TextSpan& sentence) {
        return sentence.*member == span.*member;
      });
    };
    EXPECT_TRUE(is(&TextSpan::begin)) << "seed " << seed;
    EXPECT_TRUE(is(&TextSpan::end)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tome
