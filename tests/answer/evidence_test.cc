#include "tome/answer/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "tests/library/library_fixture.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class EvidenceTest : public LibraryFixture {
 protected:
  DocumentId Add(std::string_view content) {
    return library_.Add(folder_.Write("a.txt", content), {}).id;
  }

  // Returns the evidence sentences of a source with this text. Its span need not exist in the
  // document.
  std::vector<std::string> TextsOf(const std::string& text) {
    const Sources sources{.parts = {{.document = Add("Nothing."),
                                     .span = {.begin = 1000, .end = 1000 + text.size()},
                                     .text = text,
                                     .section = {},
                                     .score = 1}}};
    std::vector<std::string> texts;
    for (const EvidenceSentence& sentence : SentencesOf(sources, library_)) {
      // The span covers the sentence alone, without any introduction.
      const std::string own = text.substr(sentence.span.begin - 1000, sentence.span.size());
      EXPECT_TRUE(sentence.text.ends_with(own)) << sentence.text << "\n" << own;
      texts.push_back(sentence.text);
    }
    return texts;
  }

  std::vector<EvidenceSentence> Of(const std::vector<std::string>& texts) {
    std::vector<EvidenceSentence> sentences;
    for (const std::string& text : texts) sentences.emplace_back().text = text;
    return sentences;
  }

  Library library_ = Open();
};

TEST_F(EvidenceTest, SentencesAreBytesOfTheDocumentAndHeadingsAreNone) {
  const DocumentId id =
      Add("# The lighthouse keeper\nThe keeper lit the lamp. The brig struck the reef.\n"
          "## 守塔人的生活\n守塔人在黄昏点亮了灯。鲸油换成了煤油灯。\n");
  const NamedDocument document{.id = id, .name = "a.txt"};
  const Sources sources = WholeDocuments(library_, {&document, 1});
  std::vector<std::string> quotes;
  for (const EvidenceSentence& sentence : SentencesOf(sources, library_)) {
    EXPECT_EQ(sentence.part, 0U);
    quotes.push_back(library_.Text(id, sentence.span));
    EXPECT_EQ(sentence.text, quotes.back());
  }
  EXPECT_THAT(quotes, ElementsAre("The keeper lit the lamp.", "The brig struck the reef.",
                                  "守塔人在黄昏点亮了灯。", "鲸油换成了煤油灯。"));
}

TEST_F(EvidenceTest, APronounComesWithTheSentenceBefore) {
  EXPECT_THAT(TextsOf("Anna kept the lamp. She died in 1912.\n\nThey sailed from Hull that year."),
              ElementsAre("Anna kept the lamp.", "Anna kept the lamp. She died in 1912.",
                          "They sailed from Hull that year."));
  EXPECT_THAT(TextsOf("安娜守着灯塔的灯。她在1912年去世了。"),
              ElementsAre("安娜守着灯塔的灯。", "安娜守着灯塔的灯。 她在1912年去世了。"));
  // A word that only begins like a pronoun refers to nothing.
  EXPECT_THAT(
      TextsOf("Anna kept the lamp. Sheila kept the boat. Items were sold there."),
      ElementsAre("Anna kept the lamp.", "Sheila kept the boat.", "Items were sold there."));
}

TEST_F(EvidenceTest, AnItemComesWithWhatIntroducesItsList) {
  EXPECT_THAT(
      TextsOf(
          "The brig carried these goods:\n\n- barrels of tar\n\n- copper nails\n\n2. oak planks"),
      ElementsAre("The brig carried these goods:", "The brig carried these goods: - barrels of tar",
                  "The brig carried these goods: - copper nails",
                  "The brig carried these goods: 2. oak planks"));
  EXPECT_THAT(TextsOf("The sign over the door reads:\n\nKeep away from the lamp."),
              ElementsAre("The sign over the door reads:",
                          "The sign over the door reads: Keep away from the lamp."));
  // A long introduction is left out, since it would be longer than its item.
  const std::string longer(500, 'x');
  EXPECT_THAT(TextsOf(longer + ":\n\n- barrels of tar"),
              ElementsAre(longer + ":", "- barrels of tar"));
}

TEST_F(EvidenceTest, ARowComesWithTheHeaderOfItsTable) {
  EXPECT_THAT(TextsOf("| Keeper | Years |\n| Anna Holm | 1870 |\n| Bertil Ek | 1912 |"),
              ElementsAre("| Keeper | Years |", "| Keeper | Years | | Anna Holm | 1870 |",
                          "| Keeper | Years | | Bertil Ek | 1912 |"));
}

TEST_F(EvidenceTest, WhatSaysNothingIsNone) {
  EXPECT_THAT(TextsOf("12\n\n----------------\n\n• • • • • • • • •\n\n第3页\n\n。。。。。。。。。"),
              IsEmpty());
  EXPECT_THAT(TextsOf(""), IsEmpty());
  EXPECT_TRUE(HasWords("..1"));
  EXPECT_TRUE(HasWords("灯"));
  EXPECT_FALSE(HasWords(" .!。、—"));
}

// Okapi BM25 by its definition, over words that need no stemming.
double Bm25(const std::vector<std::vector<std::string>>& texts, size_t text,
            const std::vector<std::string>& words) {
  const auto holds = [&](size_t i, const std::string& word) {
    return static_cast<double>(std::count(texts[i].begin(), texts[i].end(), word));
  };
  const auto n = static_cast<double>(texts.size());
  double total = 0;
  for (const auto& each : texts) total += static_cast<double>(each.size());
  double score = 0;
  for (const std::string& word : words) {
    double holders = 0;
    for (size_t i = 0; i < texts.size(); ++i) holders += holds(i, word) > 0 ? 1 : 0;
    const double idf = std::log(1 + (n - holders + 0.5) / (holders + 0.5));
    const double f = holds(text, word);
    const double length = static_cast<double>(texts[text].size()) / (total / n);
    score += idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * length));
  }
  return score;
}

TEST_F(EvidenceTest, WordsAreMeasuredByBm25) {
  const std::vector<std::vector<std::string>> texts{
      {"lamp", "burn", "lamp", "oil"},
      {"reef", "brig"},
      {"lamp", "reef", "gull", "cliff", "sand", "mud"},
      {"gull", "sand", "mud"}};
  std::vector<std::string> joined;
  for (const auto& words : texts) {
    std::string& text = joined.emplace_back();
    for (const std::string& word : words) text += word + " ";
  }
  std::vector<EvidenceSentence> sentences = Of(joined);
  ScoreWords("lamp, oil, reef", {}, analyzer_, sentences);
  const double weight = ParseQuestion("lamp", analyzer_).terms.front().weight;
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_NEAR(sentences[i].words, weight * Bm25(texts, i, {"lamp", "oil", "reef"}), 1e-9) << i;
  }
  // Coverage is a share of the question by idf. Of four sentences, two hold lamp, two reef and one
  // oil.
  const double twice = std::log(1 + 2.5 / 2.5);
  const double once = std::log(1 + 3.5 / 1.5);
  EXPECT_NEAR(sentences[0].coverage, (twice + once) / (2 * twice + once), 1e-9);
  EXPECT_NEAR(sentences[2].coverage, 2 * twice / (2 * twice + once), 1e-9);
  EXPECT_EQ(sentences[3].coverage, 0);
}

TEST_F(EvidenceTest, AQuestionWithoutWordsMeasuresNothing) {
  std::vector<EvidenceSentence> sentences = Of({"lamp", "reef"});
  ScoreWords("?!", {}, analyzer_, sentences);
  EXPECT_EQ(sentences[0].words, 0);
  ScoreWords("灯塔", {}, analyzer_, sentences);
  EXPECT_EQ(sentences[0].words, 0);
  std::vector<EvidenceSentence> none;
  ScoreWords("lamp", {}, analyzer_, none);
  ScoreEvidence(none);
  EXPECT_THAT(BestEvidence(none, 3), IsEmpty());
}

TEST_F(EvidenceTest, ScoresAreSumsOfZScores) {
  std::vector<EvidenceSentence> sentences = Of({"a", "b", "c"});
  const double words[] = {1, 2, 6};          // mean 3, variance 14 / 3
  const double likelihood[] = {-3, -1, -2};  // mean -2, variance 2 / 3
  for (size_t i = 0; i < 3; ++i) {
    sentences[i].words = words[i];
    sentences[i].likelihood = likelihood[i];
    sentences[i].question = 0.25;  // the same value everywhere has no effect
    sentences[i].score = 100;      // the score of an earlier ranking
  }
  ScoreEvidence(sentences);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(sentences[i].score,
                (words[i] - 3) / std::sqrt(14.0 / 3) + (likelihood[i] + 2) / std::sqrt(2.0 / 3),
                1e-9);
  }
}

TEST_F(EvidenceTest, TiesStandInTheOrderOfTheText) {
  std::vector<EvidenceSentence> sentences = Of({"a", "b", "c", "d"});
  sentences[2].score = 2;
  sentences[1].score = sentences[3].score = 1;
  EXPECT_THAT(BestEvidence(sentences, 3), ElementsAre(2, 1, 3));
  EXPECT_THAT(BestEvidence(sentences, 9), ElementsAre(2, 1, 3, 0));
  EXPECT_THAT(BestEvidence(sentences, 0), IsEmpty());
}

}  // namespace
}  // namespace tome
