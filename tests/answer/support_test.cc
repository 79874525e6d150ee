#include "tome/answer/support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Support, NumbersAndNamesThatStandNowhereAreMissing) {
  Analyzer analyzer;
  const std::string evidence = "Whale oil was replaced by Anna Holm in 1,870 barrels.";
  const auto missing = [&](std::string_view answer) {
    return MissingFrom(answer, evidence, "What did Bertil do in May?", analyzer);
  };
  EXPECT_THAT(missing("It was replaced by Anna Holm, not by Bertil, in 1870 barrels."), IsEmpty());
  EXPECT_THAT(missing("It was Edison in 1912, said Edison."), ElementsAre("Edison", "1912"));
  // The first word of a sentence is not taken for a name because of its capital. Other words may
  // differ.
  EXPECT_THAT(missing("Kerosene burned. \"Petrol took its place.\""), IsEmpty());
  EXPECT_THAT(missing(""), IsEmpty());
}

TEST(Support, NumbersInChineseAreMissingTheSame) {
  Analyzer analyzer;
  EXPECT_THAT(MissingFrom("鲸油在1912年由Edison换成了煤油灯。", "1870年，鲸油换成了煤油灯。",
                          "鲸油后来换成了什么？", analyzer),
              ElementsAre("1912", "Edison"));
  EXPECT_THAT(MissingFrom("1870年换成煤油灯。", "1870年，鲸油换成了煤油灯。", "？", analyzer),
              IsEmpty());
}

TEST(Support, RamblingBehindTheFirstSentenceIsLeftOut) {
  Analyzer analyzer;
  const auto kept = [&](std::string_view answer) {
    return WithoutRambling(answer, "Whale oil was replaced by a kerosene burner in 1870.",
                           "What replaced whale oil?", analyzer);
  };
  EXPECT_EQ(kept("A kerosene burner. It replaced whale oil in 1870."),
            "A kerosene burner. It replaced whale oil in 1870.");
  EXPECT_EQ(kept("A kerosene burner. Modern lamps use electricity and mirrors everywhere."),
            "A kerosene burner.");
  EXPECT_EQ(kept("A kerosene burner. Whale oil was replaced in 1912."), "A kerosene burner.");
  // The first sentence is the answer and is kept, whatever it says.
  EXPECT_EQ(kept("Zeppelins burned in 1937. Whale oil was replaced."),
            "Zeppelins burned in 1937. Whale oil was replaced.");
  EXPECT_EQ(kept(""), "");
}

TEST(Support, UnsupportedSentencesAreLeftOutAndSpansFollow) {
  Answer answer;
  answer.text = "灯亮了。Zeppelins burned.  The keeper slept.";
  const auto sentence = [&](std::string_view text, Support support, size_t citation) {
    const size_t begin = answer.text.find(text);
    answer.sentences.push_back({.span = {.begin = begin, .end = begin + text.size()},
                                .support = support,
                                .citations = {citation}});
  };
  sentence("灯亮了。", Support::kSupported, 0);
  sentence("Zeppelins burned.", Support::kPartly, 1);
  sentence("The keeper slept.", Support::kSupported, 2);
  answer.missing = {"Zeppelins"};
  LeaveOutUnsupported(answer);
  EXPECT_EQ(answer.text, "灯亮了。 The keeper slept.");
  ASSERT_EQ(answer.sentences.size(), 2U);
  const SentenceSupport& last = answer.sentences[1];
  EXPECT_EQ(answer.text.substr(last.span.begin, last.span.size()), "The keeper slept.");
  EXPECT_THAT(last.citations, ElementsAre(2));
  EXPECT_THAT(answer.missing, IsEmpty());
  EXPECT_EQ(answer.notes.size(), 1U);
  // A second call finds no sentence to leave out and adds no note.
  LeaveOutUnsupported(answer);
  EXPECT_EQ(answer.notes.size(), 1U);
}

TEST(Support, DependsOnConfidenceAndOnWhatIsMissing) {
  EXPECT_EQ(SupportOf(kSure, kAboutQuestion, {}), Support::kSupported);
  EXPECT_EQ(SupportOf(kSure, kAboutQuestion, {"7"}), Support::kPartly);
  EXPECT_EQ(SupportOf(kLow, kAboutQuestion, {}), Support::kPartly);
  EXPECT_EQ(SupportOf(kLow - 0.01, kAboutQuestion, {}), Support::kNone);
  // The model is sure of a sentence that is about something else.
  EXPECT_EQ(SupportOf(kSure, kAboutQuestion - 0.01, {}), Support::kPartly);
  EXPECT_EQ(SupportOf(kSure, std::nullopt, {}), Support::kSupported);
  // Documents count as not answering only where two measures are low.
  EXPECT_TRUE(IsNotSaid(kNotSaidConfidence - 0.1, kNotSaidGain - 0.1, {}));
  EXPECT_FALSE(IsNotSaid(kNotSaidConfidence - 0.1, kNotSaidGain, {}));
  EXPECT_FALSE(IsNotSaid(kNotSaidConfidence, kNotSaidGain - 0.1, {}));
  EXPECT_TRUE(IsNotSaid(kNotAboutConfidence - 0.1, 5, kNotAboutQuestion - 0.1));
  EXPECT_FALSE(IsNotSaid(kNotAboutConfidence - 0.1, 5, kNotAboutQuestion));
  EXPECT_FALSE(IsNotSaid(kNotAboutConfidence, 5, kNotAboutQuestion - 0.1));
  EXPECT_EQ(SupportByWords(0.9, {}), Support::kSupported);
  EXPECT_EQ(SupportByWords(0.9, {"7"}), Support::kPartly);
  EXPECT_EQ(SupportByWords(0.5, {}), Support::kPartly);
  EXPECT_EQ(SupportByWords(0.1, {}), Support::kNone);
  // Confidence grows with the model's sureness and with the share of the question that is held.
  EXPECT_GT(ConfidenceOf(-0.1, 0.5), ConfidenceOf(-0.5, 0.5));
  EXPECT_GT(ConfidenceOf(-0.1, 0.9), ConfidenceOf(-0.1, 0.5));
}

TEST(Support, APlaceIsCitedOnce) {
  Answer answer;
  const auto add = [&](DocumentId document, uint64_t begin) {
    Citation citation;
    citation.document_id = document;
    citation.span = {.begin = begin, .end = begin + 5};
    citation.quote = "Here.";
    return AddCitation(citation, answer);
  };
  EXPECT_EQ(add(1, 0), 0U);
  EXPECT_EQ(add(2, 0), 1U);
  EXPECT_EQ(add(1, 9), 2U);
  EXPECT_EQ(add(2, 0), 1U);
  EXPECT_EQ(answer.citations.size(), 3U);
  EXPECT_EQ(answer.quoted_tokens, 6U);
}

}  // namespace
}  // namespace tome
