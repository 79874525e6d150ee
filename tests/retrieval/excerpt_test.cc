#include "tome/retrieval/excerpt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
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
  // Returns the focus where all of the text is the place.
  std::string Focus(const std::string& text,
                    const std::vector<std::pair<std::string, double>>& phrases,
                    const std::vector<TextSpan>& headings = {},
                    LineBreaks line_breaks = LineBreaks::kHard) {
    const std::optional<Quote> quote = excerpter_.Cut({.text = text,
                                                       .place = {.begin = 0, .end = text.size()},
                                                       .headings = headings,
                                                       .section_begins = {},
                                                       .line_breaks = line_breaks},
                                                      Values(phrases), {});
    EXPECT_TRUE(quote);
    return quote ? text.substr(quote->focus.begin, quote->focus.size()) : "";
  }
  // Returns the quote of a source, or "none".
  std::string Grown(const ExcerptSource& source,
                    const std::vector<std::pair<std::string, double>>& phrases,
                    const std::vector<TextSpan>& taken = {}) {
    const std::optional<Quote> quote = excerpter_.Cut(source, Values(phrases), taken);
    return quote ? std::string(source.text.substr(quote->span.begin, quote->span.size())) : "none";
  }
  static TextSpan Find(std::string_view text, std::string_view part) {
    const size_t begin = text.find(part);
    EXPECT_NE(begin, std::string_view::npos) << part;
    return {.begin = begin, .end = begin + part.size()};
  }

  Analyzer analyzer_;
  Excerpter excerpter_{analyzer_};
};

constexpr const char* kEnglish =
    "The weather was fine.\n\nEdit the file sources.list first.\n\nThen run apt update.\n\n"
    "Nobody knew why.";

TEST_F(ExcerptTest, TakesTheSentenceThatHoldsTheTerms) {
  EXPECT_EQ(Focus(kEnglish, {{"sources.list", 1}}), "Edit the file sources.list first.");
  EXPECT_EQ(Focus(kEnglish, {{"nobody", 1}, {"know", 1}}), "Nobody knew why.");
}

TEST_F(ExcerptTest, TakesTheShortestRunThatHoldsAll) {
  EXPECT_EQ(Focus(kEnglish, {{"file", 1}, {"update", 1}}),
            "Edit the file sources.list first.\n\nThen run apt update.");
}

TEST_F(ExcerptTest, LeavesOutATermWhoseSentencesCostMoreThanItIsWorth) {
  EXPECT_EQ(Focus(kEnglish, {{"sources.list", 1}, {"why", 0.001}}),
            "Edit the file sources.list first.");
}

TEST_F(ExcerptTest, AmongEqualsTheFirstAndShortestWins) {
  EXPECT_EQ(Focus("A cat sat.\n\nA cat sat.\n\nA cat sat.", {{"cat", 1}}), "A cat sat.");
  const std::string text = "One cat here. One dog here. Two cat here.";
  EXPECT_EQ(Focus(text, {{"cat", 1}}), "One cat here.");
}

TEST_F(ExcerptTest, APhraseMustStandTogetherInOneSentence) {
  EXPECT_EQ(Focus("The list of sources. See sources list now.", {{"sources list", 1}}),
            "See sources list now.");
}

TEST_F(ExcerptTest, WorksOnChinese) {
  const std::string text = "今天天气很好。软件包由仓库管理。我们出去走走吧！";
  EXPECT_EQ(Focus(text, {{"软件", 1}, {"仓库", 1}}), "软件包由仓库管理。");
  EXPECT_EQ(Focus(text, {{"走", 1}}), "我们出去走走吧！");
}

TEST_F(ExcerptTest, TakesNoHeadingWhereThereIsOtherText) {
  const std::string text = "Apt sources\n\nThe file is described here.";
  EXPECT_EQ(Focus(text, {{"apt", 1}, {"sources", 1}}, {{0, 11}}), "The file is described here.");
  EXPECT_EQ(Focus(text.substr(0, 11), {{"apt", 1}}, {{0, 11}}), "Apt sources");
}

TEST_F(ExcerptTest, KeepsToAFocusLengthButNeverTearsASentence) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "Sentence with word" + std::to_string(i) + " in it. ";
  text += "The last one.";
  const std::string quote = Focus(text, {{"word0", 1}, {"word59", 1}, {"word5", 1}});
  EXPECT_LE(EstimateTokens(quote), kFocusTokens);
  std::string endless = "Short. A sentence";
  for (int i = 0; i < 200; ++i) endless += " of many words";
  endless += " with needle.";
  EXPECT_EQ(Focus(endless, {{"needle", 1}}), endless.substr(7));
}

TEST_F(ExcerptTest, AWrappedSentenceOfSoftTextStaysWhole) {
  const std::string text = "First one. The needle\nis wrapped. Last.";
  EXPECT_EQ(Focus(text, {{"needle", 1}}, {}, LineBreaks::kSoft), "The needle\nis wrapped.");
}

TEST_F(ExcerptTest, WithoutTermsGivesASentence) {
  EXPECT_EQ(Focus("One.\n\nTwo.", {}), "One.");
  EXPECT_EQ(Focus("One.\n\nTwo.", {{"absent", 1}}), "One.");
}

TEST_F(ExcerptTest, AQuoteGrowsOnBothSidesOutOfItsPlace) {
  const std::string text = "One before. The needle is here. One after.";
  const ExcerptSource source{.text = text,
                             .place = Find(text, "The needle is here."),
                             .headings = {},
                             .section_begins = {}};
  EXPECT_EQ(Grown(source, {{"needle", 1}}), text);
  std::string filler = "Filler";
  while (filler.size() < kQuoteColumns) filler += " of words";
  const std::string narrow =
      filler + ". Near before. The needle is here. Near after. " + filler + ".";
  EXPECT_EQ(Grown({.text = narrow,
                   .place = Find(narrow, "The needle is here."),
                   .headings = {},
                   .section_begins = {}},
                  {{"needle", 1}}),
            "Near before. The needle is here. Near after.");
}

TEST_F(ExcerptTest, AQuoteGrowsTowardsTheTermsOfTheQuestion) {
  const std::string words = std::string(kQuoteColumns / 2, 'x');
  const std::string text = "A thread " + words + ". The needle is here. Nothing " + words + ".";
  const ExcerptSource source{.text = text,
                             .place = Find(text, "The needle is here."),
                             .headings = {},
                             .section_begins = {}};
  EXPECT_EQ(Grown(source, {{"needle", 2}, {"thread", 1}}),
            "A thread " + words + ". The needle is here.");
  EXPECT_EQ(Grown(source, {{"needle", 2}}), "The needle is here. Nothing " + words + ".");
}

TEST_F(ExcerptTest, AColumnIsHalfAChineseCharacter) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += i == 50 ? "针在草堆里。" : "今天天气好。";
  const std::string quote = Grown(
      {.text = text, .place = Find(text, "针在草堆里。"), .headings = {}, .section_begins = {}},
      {{"草堆", 1}});
  const TokenCount count = CountTokens(quote);
  EXPECT_LE(2 * count.cjk + count.others, kQuoteColumns);
  EXPECT_GT(2 * count.cjk + count.others, kQuoteColumns - 24);
}

TEST_F(ExcerptTest, AQuoteEndsWithItsSection) {
  const std::string text = "Other.\nHeading\nThe needle is here. More.\nNext\nForeign.";
  const std::vector<TextSpan> headings{Find(text, "Heading"), Find(text, "Next")};
  const std::vector<uint64_t> begins{0, Find(text, "Heading").begin, Find(text, "Next").begin};
  EXPECT_EQ(Grown({.text = text,
                   .place = Find(text, "The needle is here."),
                   .headings = headings,
                   .section_begins = begins},
                  {{"needle", 1}}),
            "The needle is here. More.");
}

TEST_F(ExcerptTest, ATornSentenceIsNoPartOfAQuote) {
  const std::string text = "orn before. Whole. The needle is here. Good. And torn aft";
  ExcerptSource source{.text = text,
                       .place = Find(text, "The needle is here."),
                       .cut_before = true,
                       .cut_after = true,
                       .headings = {},
                       .section_begins = {}};
  EXPECT_EQ(Grown(source, {{"needle", 1}}), "Whole. The needle is here. Good.");
  source.cut_before = source.cut_after = false;
  EXPECT_EQ(Grown(source, {{"needle", 1}}), text);
}

TEST_F(ExcerptTest, NoTextIsQuotedTwice) {
  const std::string text = "Shown. The needle is here. A thread is there. Shown too.";
  const ExcerptSource source{.text = text,
                             .place = Find(text, "The needle is here. A thread is there."),
                             .headings = {},
                             .section_begins = {}};
  const std::vector<TextSpan> sides{Find(text, "Shown."), Find(text, "Shown too.")};
  EXPECT_EQ(Grown(source, {{"needle", 1}}, sides), "The needle is here. A thread is there.");
  EXPECT_EQ(Grown(source, {{"needle", 1}}, {Find(text, "The needle is here.")}), "none");
  EXPECT_EQ(Grown(source, {{"needle", 1}}, {Find(text, "needle")}), "none");
  EXPECT_EQ(Grown(source, {{"needle", 1}, {"thread", 1}}, {Find(text, "thread")}), "none");
}

TEST_F(ExcerptTest, APlaceFoundByMeaningIsAllFocusWhereItFits) {
  const std::string text = "Before. It lies in the hay. Nobody looked. After.";
  ExcerptSource source{.text = text,
                       .place = Find(text, "It lies in the hay. Nobody looked."),
                       .headings = {},
                       .section_begins = {},
                       .found_by = FoundBy::kMeaning};
  const auto quote = excerpter_.Cut(source, Values({{"needle", 1}}), {});
  ASSERT_TRUE(quote);
  EXPECT_EQ(quote->focus, source.place);
  std::string large;
  for (int i = 0; i < 60; ++i) large += "Sentence with word" + std::to_string(i) + " in it. ";
  source = {.text = large,
            .place = {.begin = 0, .end = large.size() - 1},
            .headings = {},
            .section_begins = {},
            .found_by = FoundBy::kMeaning};
  EXPECT_THAT(Grown(source, {{"word50", 1}}), testing::HasSubstr("word50"));
  EXPECT_THAT(Grown(source, {}), testing::StartsWith("Sentence with word0 "));
}

TEST_F(ExcerptTest, IsMadeOfWholeSentencesAndKeepsToItsLimits) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    std::mt19937 random(seed);
    const std::string text = "x" + RandomText(random, random() % 60) + "x";
    // Places begin and end at borders of sentences, as CutPassages and CutWindows make them.
    SentenceSplitter splitter;
    const auto sentences = Sentences(text, {0, text.size()}, LineBreaks::kHard, splitter);
    const size_t first = random() % sentences.size();
    const size_t last = first + random() % (sentences.size() - first);
    const TextSpan place{sentences[first].begin, sentences[last].end};
    std::vector<TextSpan> taken;
    for (const TextSpan& sentence : sentences) {
      if (random() % 8 == 0) taken.push_back(sentence);
    }
    const std::optional<Quote> quote =
        excerpter_.Cut({.text = text,
                        .place = place,
                        .headings = {},
                        .section_begins = {},
                        .found_by = seed % 2 == 0 ? FoundBy::kWords : FoundBy::kMeaning},
                       Values({{"running", 1}, {"软件", 0.5}, {"10000", 2}}), taken);
    if (!quote) {
      EXPECT_FALSE(taken.empty()) << "seed " << seed;
      continue;
    }
    const TextSpan focus = quote->focus;
    EXPECT_LT(focus.begin, focus.end) << "seed " << seed;
    EXPECT_TRUE(focus.begin >= place.begin && focus.end <= place.end) << "seed " << seed;
    EXPECT_TRUE(quote->span.begin <= focus.begin && quote->span.end >= focus.end)
        << "seed " << seed;
    for (const TextSpan& other : taken) {
      EXPECT_TRUE(other.end <= quote->span.begin || other.begin >= quote->span.end)
          << "seed " << seed;
    }
    const TokenCount count =
        CountTokens(std::string_view(text).substr(quote->span.begin, quote->span.size()));
    EXPECT_TRUE(quote->span == focus || 2 * count.cjk + count.others <= kQuoteColumns)
        << "seed " << seed;
  }
}

}  // namespace
}  // namespace tome
