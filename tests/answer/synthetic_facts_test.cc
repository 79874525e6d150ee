#include "tome/answer/synthetic_facts.h"

#include <gtest/gtest.h>

#include <string>

#include "tome/text/unicode.h"

namespace tome {
namespace {

bool Holds(std::string_view text, std::string_view part) {
  return LowerAscii(text).find(LowerAscii(part)) != std::string::npos;
}

class SyntheticFactsTest : public testing::TestWithParam<PromptLanguage> {};

TEST_P(SyntheticFactsTest, EachAnswerStandsInItsSentenceAlone) {
  const auto facts = SyntheticFacts(GetParam());
  ASSERT_EQ(facts.size(), 24U);
  for (size_t i = 0; i < facts.size(); ++i) {
    EXPECT_TRUE(Holds(facts[i].sentence, facts[i].answer)) << facts[i].sentence;
    for (size_t j = 0; j < facts.size(); ++j) {
      if (i == j) continue;
      EXPECT_FALSE(Holds(facts[j].sentence, facts[i].answer))
          << facts[i].answer << " stands in: " << facts[j].sentence;
    }
  }
}

TEST_P(SyntheticFactsTest, NoQuestionHoldsItsAnswerOrItsSentence) {
  for (const SyntheticFact& fact : SyntheticFacts(GetParam())) {
    EXPECT_FALSE(Holds(fact.question, fact.answer)) << fact.question;
    EXPECT_FALSE(Holds(fact.question, fact.sentence)) << fact.question;
    EXPECT_EQ(LanguageOf(fact.question), GetParam()) << fact.question;
  }
}

TEST_P(SyntheticFactsTest, FillerAnswersNothingAndIsTheSameEveryTime) {
  const std::string filler = SyntheticFiller(GetParam(), 5000);
  EXPECT_EQ(filler, SyntheticFiller(GetParam(), 5000));
  const uint64_t characters = CountCodePoints(filler);
  EXPECT_GE(characters, 5000U);
  EXPECT_LT(characters, 5100U);
  EXPECT_TRUE(IsValidUtf8(filler));
  for (const SyntheticFact& fact : SyntheticFacts(GetParam())) {
    EXPECT_FALSE(Holds(filler, fact.answer)) << fact.answer;
  }
  EXPECT_EQ(SyntheticFiller(GetParam(), 0), "");
}

INSTANTIATE_TEST_SUITE_P(Languages, SyntheticFactsTest,
                         testing::Values(PromptLanguage::kEnglish, PromptLanguage::kChinese),
                         [](const auto& language) { return std::string(NameOf(language.param)); });

}  // namespace
}  // namespace tome
