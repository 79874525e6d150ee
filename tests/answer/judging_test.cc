#include "tome/answer/judging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/library/library_fixture.h"
#include "tome/answer/support.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kText =
    "The keeper lit the lamp at dusk.\n"
    "Whale oil was replaced by a kerosene burner in 1870.\n"
    "The brig Halcyon struck the reef in a gale.\n"
    "Nobody aboard the ship was hurt that night.\n";
constexpr std::string_view kKeeper = "The keeper lit the lamp at dusk.";
constexpr std::string_view kKerosene = "Whale oil was replaced by a kerosene burner in 1870.";
constexpr std::string_view kBrig = "The brig Halcyon struck the reef in a gale.";

std::vector<std::string> QuotesOf(const Answer& answer) {
  std::vector<std::string> quotes;
  for (const Citation& citation : answer.citations) quotes.push_back(citation.quote);
  return quotes;
}

std::vector<std::string> SentencesIn(const Answer& answer) {
  std::vector<std::string> sentences;
  for (const SentenceSupport& sentence : answer.sentences) {
    sentences.push_back(answer.text.substr(sentence.span.begin, sentence.span.size()));
  }
  return sentences;
}

class JudgingTest : public LibraryFixture {
 protected:
  void Add(std::string_view content) {
    const std::string name = "d" + std::to_string(documents_.size()) + ".txt";
    documents_.push_back({.id = library_.Add(folder_.Write(name, content), {}).id, .name = name});
  }

  AnswerJudge Judge() {
    return {library_, documents_,
            [](std::string_view text) { return static_cast<int64_t>(text.size()) / 4; }, strict_};
  }

  // Returns the answer of a model that has read all documents.
  Answer Replied(std::string_view question, std::string_view text) {
    Answer answer;
    answer.question = question;
    answer.text = text;
    Judge().JudgeReply(WholeDocuments(library_, documents_), answer);
    ExpectSound(answer);
    return answer;
  }

  // Returns an answer that was written from the sentences with these texts.
  Answer Written(std::string_view question, WrittenAnswer written,
                 const std::vector<std::string_view>& evidence) {
    const Sources sources = WholeDocuments(library_, documents_);
    std::vector<EvidenceSentence> sentences = SentencesOf(sources, library_);
    ScoreWords(question, {}, analyzer_, sentences);
    ScoreEvidence(sentences);
    for (const std::string_view text : evidence) {
      const auto found = std::ranges::find(sentences, text, &EvidenceSentence::text);
      EXPECT_NE(found, sentences.end()) << text;
      written.evidence.push_back(static_cast<size_t>(found - sentences.begin()));
      coverage_ = std::max(coverage_, found->coverage);
    }
    Answer answer;
    answer.question = question;
    Judge().JudgeWritten(written, sources, sentences, answer);
    ExpectSound(answer);
    return answer;
  }

  // Checks what holds for every answer: quotes are the bytes of their spans, and sentences lie in
  // the text and refer to citations.
  void ExpectSound(const Answer& answer) {
    ASSERT_TRUE(answer.support);
    for (const Citation& citation : answer.citations) {
      EXPECT_EQ(citation.quote, library_.Text(citation.document_id, citation.span));
    }
    for (const SentenceSupport& sentence : answer.sentences) {
      EXPECT_LE(sentence.span.begin, sentence.span.end);
      EXPECT_LE(sentence.span.end, answer.text.size());
      for (const size_t i : sentence.citations) EXPECT_LT(i, answer.citations.size());
    }
  }

  Library library_ = Open();
  std::vector<NamedDocument> documents_;
  bool strict_ = false;
  double coverage_ = 0;  // the largest of the evidence of Written
};

TEST_F(JudgingTest, EverySentenceOfAReplyCitesTheOneThatItStandsOn) {
  Add(kText);
  const Answer answer = Replied("What happened?",
                                "A kerosene burner replaced whale oil in 1870. The keeper lit the "
                                "lamp at dusk. Whale oil was replaced by a kerosene burner.");
  EXPECT_EQ(answer.support, Support::kSupported);
  EXPECT_THAT(QuotesOf(answer), ElementsAre(kKerosene, kKeeper));  // each once
  ASSERT_EQ(answer.sentences.size(), 3U);
  EXPECT_THAT(answer.sentences[0].citations, ElementsAre(0));
  EXPECT_THAT(answer.sentences[1].citations, ElementsAre(1));
  EXPECT_THAT(answer.sentences[2].citations, ElementsAre(0));
  EXPECT_THAT(answer.missing, IsEmpty());
}

TEST_F(JudgingTest, AReplyIsSupportedAsItsWorstSentenceIs) {
  Add(kText);
  const Answer number = Replied("What happened?", "Whale oil was replaced by a burner in 1912.");
  EXPECT_EQ(number.support, Support::kPartly);
  EXPECT_THAT(number.missing, ElementsAre("1912"));
  EXPECT_THAT(QuotesOf(number), ElementsAre(kKerosene));
  // A number of the question is not missing.
  EXPECT_THAT(Replied("And in 1912?", "Whale oil was replaced by a burner in 1912.").missing,
              IsEmpty());

  const Answer mixed = Replied(
      "What happened?", "The keeper lit the lamp at dusk. Zeppelins crossed oceans by radio.");
  EXPECT_EQ(mixed.support, Support::kNone);
  ASSERT_EQ(mixed.sentences.size(), 2U);
  EXPECT_EQ(mixed.sentences[0].support, Support::kSupported);
  EXPECT_EQ(mixed.sentences[1].support, Support::kNone);
  EXPECT_THAT(mixed.sentences[1].citations, IsEmpty());
  EXPECT_THAT(QuotesOf(mixed), ElementsAre(kKeeper));
}

TEST_F(JudgingTest, AReplyThatStandsOnNothingCitesWhatIsNearestToTheQuestion) {
  Add(kText);
  const Answer answer = Replied("Which brig struck the reef?", "Zeppelins crossed oceans.");
  EXPECT_EQ(answer.support, Support::kNone);
  ASSERT_FALSE(answer.citations.empty());
  EXPECT_LE(answer.citations.size(), 3U);
  EXPECT_EQ(answer.citations.front().quote, kBrig);
  // A reply without words stands on nothing, and a question without words is near to nothing.
  const Answer wordless = Replied("?", "…");
  EXPECT_EQ(wordless.support, Support::kNone);
  EXPECT_THAT(wordless.sentences, IsEmpty());
  EXPECT_THAT(wordless.citations, IsEmpty());
}

TEST_F(JudgingTest, StrictlyOnlySupportedSentencesOfAReplyAreLeft) {
  Add(kText);
  strict_ = true;
  Answer answer = Replied("What happened?",
                          "Zeppelins crossed oceans by radio. The keeper lit the lamp at dusk. "
                          "Whale oil was replaced by a burner in 1912.");
  EXPECT_EQ(answer.text, kKeeper);
  EXPECT_THAT(SentencesIn(answer), ElementsAre(kKeeper));
  EXPECT_EQ(answer.notes.size(), 1U);
  EXPECT_EQ(Replied("What happened?", "Zeppelins crossed oceans by radio.").text, "");
  EXPECT_THAT(Replied("What happened?", kKeeper).notes, IsEmpty());
}

// In long documents, evidence is looked for in the passages that share words with a sentence.
TEST_F(JudgingTest, LongDocumentsAreJudgedLikeShortOnes) {
  std::string text(kText);
  for (int i = 0; i < 900; ++i) {
    text += "On morning " + std::to_string(i) + " a sea stayed grey while fog came.\n";
  }
  Add("Another document holds nothing of use.\n");
  Add(text + "The last ferry left Norwich with a cargo of turnips.\n");
  ASSERT_GT(text.size(), 20000U);
  const Answer answer =
      Replied("What happened?",
              "The keeper lit the lamp at dusk. The ferry left Norwich with turnips. On morning "
              "456 a sea stayed grey. Zeppelins crossed oceans by radio.");
  EXPECT_THAT(QuotesOf(answer),
              ElementsAre(kKeeper, "The last ferry left Norwich with a cargo of turnips.",
                          "On morning 456 a sea stayed grey while fog came."));
  ASSERT_EQ(answer.sentences.size(), 4U);
  EXPECT_EQ(answer.sentences[3].support, Support::kNone);
  for (const Citation& citation : answer.citations) EXPECT_EQ(citation.document, "d1.txt");
}

TEST_F(JudgingTest, AWrittenAnswerCitesItsEvidence) {
  Add(kText);
  const std::string_view question = "What replaced whale oil?";
  const Answer answer = Written(question,
                                {.text = "A kerosene burner did.",
                                 .evidence = {},
                                 .log_probability = -0.1,
                                 .gain = 3,
                                 .question_gain = 2.5},
                                {kKerosene, kKeeper});
  EXPECT_EQ(answer.text, "A kerosene burner did.");
  EXPECT_THAT(QuotesOf(answer), ElementsAre(kKerosene, kKeeper));
  ASSERT_EQ(answer.sentences.size(), 1U);
  EXPECT_THAT(answer.sentences[0].citations, ElementsAre(0, 1));
  EXPECT_EQ(answer.sentences[0].span, (TextSpan{.begin = 0, .end = answer.text.size()}));
  EXPECT_EQ(answer.support, Support::kSupported);
  EXPECT_EQ(answer.sentences[0].support, Support::kSupported);
  EXPECT_EQ(answer.gain, 3);
  EXPECT_EQ(answer.question_gain, 2.5);
  EXPECT_FALSE(answer.not_said);
  // The evidence that holds most of the question counts.
  EXPECT_GT(coverage_, 0.5);
  EXPECT_DOUBLE_EQ(*answer.confidence, ConfidenceOf(-0.1, coverage_));
}

TEST_F(JudgingTest, AWrittenAnswerIsMeasuredAgainstItsEvidenceAlone) {
  Add(kText);
  WrittenAnswer written{.text = "A kerosene burner of Halcyon did in 1912.",
                        .evidence = {},
                        .log_probability = -0.1,
                        .gain = 3,
                        .question_gain = 2.5};
  // The name stands in another sentence of the document, and the number nowhere.
  const Answer missing = Written("What replaced whale oil?", written, {kKerosene});
  EXPECT_THAT(missing.missing, ElementsAre("Halcyon", "1912"));
  EXPECT_EQ(missing.support, Support::kPartly);
  EXPECT_THAT(Written("What replaced whale oil?", written, {kKerosene, kBrig}).missing,
              ElementsAre("1912"));
  // A sentence that the evidence does not hold is left out behind the first one.
  written.text = "A kerosene burner did. Zeppelins crossed oceans by radio.";
  EXPECT_EQ(Written("What replaced whale oil?", written, {kKerosene}).text,
            "A kerosene burner did.");
}

TEST_F(JudgingTest, WhatIsNotSaidCitesWhatIsNearest) {
  Add(kText);
  const std::string_view question = "Which brig struck the reef?";
  const WrittenAnswer unsure{.text = "The Zeppelin.",
                             .evidence = {},
                             .log_probability = -3,
                             .gain = 0.1,
                             .question_gain = 0};
  const Answer answer = Written(question, unsure, {kKeeper});
  EXPECT_TRUE(answer.not_said);
  EXPECT_EQ(answer.support, Support::kNone);
  EXPECT_THAT(QuotesOf(answer), testing::Contains(kBrig));
  EXPECT_EQ(answer.citations.front().quote, kKeeper) << "its evidence comes first";
  EXPECT_LE(answer.citations.size(), 4U);
  EXPECT_EQ(answer.text, "The Zeppelin.");
  strict_ = true;
  EXPECT_EQ(Written(question, unsure, {kKeeper}).text, "");
  const Answer empty =
      Written(question, {.text = "", .evidence = {}, .log_probability = -0.1, .gain = 3}, {kBrig});
  EXPECT_EQ(empty.support, Support::kNone);
}

}  // namespace
}  // namespace tome
