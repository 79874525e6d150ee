#include "tome/answer/writing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/prompt.h"

namespace tome {
namespace {

using testing::ElementsAre;

constexpr std::string_view kQuestion = "Who lit the lamp?";

// The model replies to a message by the first of its keys that the message holds. It records all
// that it is asked.
class RecordingModel : public AnswerModel {
 public:
  struct Said {
    std::string text;
    double log_probability = -1;
  };

  // The index of a message, and the index of the message that it is contrasted with.
  using Replied = std::pair<size_t, std::optional<size_t>>;

  std::unique_ptr<ReadMessages> Read(std::span<const PromptMessage> asked, int64_t reply_tokens,
                                     ComputedTokens& /*computed*/,
                                     const WorkControl& /*control*/) const override {
    messages.assign(asked.begin(), asked.end());
    room = reply_tokens;
    return std::make_unique<Messages>(*this);
  }

  std::optional<std::vector<double>> QuestionLikelihoods(
      std::string_view question, std::span<const std::string> texts, ComputedTokens& /*computed*/,
      const WorkControl& /*control*/) const override {
    EXPECT_EQ(question, kQuestion);
    if (!tells) return std::nullopt;
    std::vector<double> all;
    for (const std::string& text : texts) {
      const auto known = likelihoods.find(text);
      all.push_back(known == likelihoods.end() ? -5 : known->second);
    }
    return all;
  }

  std::map<std::string, Said> replies;
  std::map<std::string, double> likelihoods;
  bool tells = true;
  mutable std::vector<PromptMessage> messages;
  mutable int64_t room = 0;
  mutable std::vector<Replied> replied;

 private:
  class Messages : public ReadMessages {
   public:
    explicit Messages(const RecordingModel& model) : model_(model) {}
    std::vector<ScoredText> Reply(std::span<const ReplyRequest> replies,
                                  const SamplingOptions& /*sampling*/) override {
      std::vector<ScoredText> texts;
      for (const ReplyRequest& reply : replies) {
        EXPECT_LE(reply.max_tokens, model_.room);
        model_.replied.emplace_back(reply.message, reply.without);
        texts.push_back(Of(reply.message));
        if (!reply.without) continue;
        texts.back().text += " In contrast.";
        texts.back().log_probability_without = texts.back().log_probability - 1.5;
      }
      return texts;
    }

   private:
    ScoredText Of(size_t message) const {
      for (const auto& [key, said] : model_.replies) {
        if (model_.messages[message].text.find(key) == std::string::npos) continue;
        return {.tokens = {1}, .text = said.text, .log_probability = said.log_probability};
      }
      return {.tokens = {1}, .text = "?", .log_probability = -9};
    }
    const RecordingModel& model_;
  };
};

std::vector<EvidenceSentence> Sentences(std::vector<std::pair<std::string, double>> scored) {
  std::vector<EvidenceSentence> sentences;
  for (auto& [text, score] : scored) {
    EvidenceSentence& sentence = sentences.emplace_back();
    sentence.text = std::move(text);
    sentence.score = score;
  }
  return sentences;
}

class WritingTest : public testing::Test {
 protected:
  WrittenAnswer Write(std::span<const EvidenceSentence> sentences) {
    return WriteFromEvidence(model_, ability_, kQuestion, sentences,
                             {.sampling = {}, .max_tokens = 64}, computed_, {});
  }

  RecordingModel model_;
  Ability ability_;
  ComputedTokens computed_;
};

TEST_F(WritingTest, EachOfTheBestSentencesIsAnsweredAlone) {
  const auto sentences =
      Sentences({{"s0", 0}, {"s1", 6}, {"s2", 5}, {"s3", 1}, {"s4", 4}, {"s5", 3}, {"s6", 2}});
  ASSERT_GT(sentences.size(), kCandidates);
  Write(sentences);
  ASSERT_EQ(model_.messages.size(), kCandidates + 1);
  const char* const best[] = {"s1", "s2", "s4", "s5", "s6"};
  for (size_t rank = 0; rank < kCandidates; ++rank) {
    const std::string_view only = best[rank];
    EXPECT_EQ(model_.messages[rank].text, PromptOf(kQuestion, {&only, 1}));
    EXPECT_EQ(model_.messages[rank].opening, ReplyOpening(PromptLanguage::kEnglish));
  }
  // The last message is the question without evidence.
  EXPECT_EQ(model_.messages.back().text, PromptOf(kQuestion, {}));
  // The first message is also answered in contrast to the last one, in the same passes.
  using Replied = RecordingModel::Replied;
  EXPECT_THAT(model_.replied, ElementsAre(Replied(0, {}), Replied(1, {}), Replied(2, {}),
                                          Replied(3, {}), Replied(4, {}), Replied(0, 5)));
  EXPECT_GE(model_.room, 64);
}

TEST_F(WritingTest, TheReplyThatEvidenceAndModelFindLikeliestIsTaken) {
  const auto sentences = Sentences({{"The dog slept.", 2.0}, {"The keeper lit it.", 1.0}});
  model_.replies = {{"dog", {"the dog did.", -1}}, {"keeper", {"the keeper lit the lamp.", -0.5}}};
  const WrittenAnswer written = Write(sentences);
  // Score and reply decide together: 1 − 8 · 0.5 is more than 2 − 8 · 1.
  EXPECT_THAT(written.evidence, ElementsAre(1));
  EXPECT_EQ(written.text, "The keeper lit the lamp. In contrast.");
  EXPECT_EQ(written.log_probability, -0.5);
  EXPECT_EQ(written.gain, 1.5);
  EXPECT_EQ(written.question_gain, std::nullopt);  // every likelihood is the same
  // The contrast that was written along belongs to the other sentence, so it is written anew.
  using Replied = RecordingModel::Replied;
  EXPECT_THAT(model_.replied,
              ElementsAre(Replied(0, {}), Replied(1, {}), Replied(0, 2), Replied(1, 2)));
  // A much better score of the search wins over a slightly surer reply.
  EXPECT_THAT(Write(Sentences({{"The dog slept.", 6.0}, {"The keeper lit it.", 1.0}})).evidence,
              ElementsAre(0));
}

TEST_F(WritingTest, WhatIsFarBehindIsNotAnsweredFrom) {
  const auto sentences = Sentences({{"s0", 2.5}, {"s1", 9}, {"s2", 1.9}, {"s3", 8}});
  Write(sentences);
  ASSERT_EQ(model_.messages.size(), 4U);
  for (const auto& [rank, text] : {std::pair(0, "s1"), std::pair(1, "s3"), std::pair(2, "s0")}) {
    const std::string_view only = text;
    EXPECT_EQ(model_.messages[static_cast<size_t>(rank)].text, PromptOf(kQuestion, {&only, 1}));
  }
}

TEST_F(WritingTest, AModelThatCanIsGivenThreeSentencesInTheirOrder) {
  ability_.amount = EvidenceAmount::kSentences;
  const auto sentences = Sentences({{"s0", 1}, {"s1", 2}, {"s2", 9}, {"s3", 0}});
  Write(sentences);
  // Only the best and the next are near enough to be answered from.
  ASSERT_EQ(model_.messages.size(), 3U);
  const auto prompt_of = [](std::string_view text) { return PromptOf(kQuestion, {&text, 1}); };
  EXPECT_EQ(model_.messages[0].text, prompt_of("s0\ns1\ns2"));  // s2 with the two other best
  EXPECT_EQ(model_.messages[1].text, prompt_of("s0\ns1\ns2"));  // s1 with the same sentences
}

TEST_F(WritingTest, TheReplyBeginsWithACapitalAndHasNoSpacesTwice) {
  model_.replies = {{"keeper", {" he lit  it."}}};
  EXPECT_EQ(Write(Sentences({{"keeper", 0}})).text, "He lit it. In contrast.");
  model_.replies = {{"keeper", {"灯塔看守人。"}}};
  EXPECT_EQ(Write(Sentences({{"keeper", 0}})).text, "灯塔看守人。 In contrast.");
}

TEST_F(WritingTest, TheQuestionIsComparedBehindTheEvidenceAndBehindAnotherSentence) {
  const auto sentences = Sentences({{"The keeper lit it.", 1.0}});
  model_.likelihoods = {{"The keeper lit it.", -3.5}};  // other sentences: -5
  EXPECT_EQ(Write(sentences).question_gain, 1.5);
  model_.tells = false;
  EXPECT_EQ(Write(sentences).question_gain, std::nullopt);
}

TEST_F(WritingTest, OnlyTheBestAreMeasuredAndTheOthersAreNoLikelier) {
  auto sentences = Sentences({{"s0", 1}, {"s1", 0}, {"s2", 2}});
  model_.likelihoods = {{"s2", -3}, {"s0", -2}};
  ScoreLikelihood(model_, kQuestion, 2, sentences, computed_, {});
  EXPECT_EQ(sentences[0].likelihood, -2);
  EXPECT_EQ(sentences[1].likelihood, -3);
  EXPECT_EQ(sentences[2].likelihood, -3);
}

TEST_F(WritingTest, AModelThatDoesNotTellMeasuresNothing) {
  auto sentences = Sentences({{"s0", 1}, {"s1", 0}});
  model_.tells = false;
  ScoreLikelihood(model_, kQuestion, 2, sentences, computed_, {});
  EXPECT_EQ(sentences[0].likelihood, 0);
  EXPECT_EQ(sentences[1].likelihood, 0);
}

}  // namespace
}  // namespace tome
