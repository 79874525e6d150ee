#include "tome/answer/follow_up.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tome {
namespace {

using testing::Optional;

const EarlierTurn kMary{.question = "When did Mary Shelley write Frankenstein?",
                        .answer = "She wrote it in 1818 at the lake."};

TEST(FollowUpTest, RecognisesQuestionsThatLeanOnTheConversation) {
  for (const std::string_view question :
       {"Why?", "And in 1816?", "What about Percy?", "Where did she live?", "Who built it?",
        "What was his name?", "Who told them that?", "Why did he do this?", "为什么呢？",
        "那玛丽呢？", "他住在哪里？", "後來呢？", "它是谁写的？"}) {
    EXPECT_TRUE(LeansOnConversation(question)) << question;
  }
}

TEST(FollowUpTest, LeavesWholeQuestions) {
  for (const std::string_view question :
       {"When did Mary Shelley write Frankenstein?", "Why did the ship sink?",
        "Is it true that the ship sank?", "What time is it?", "Did Mary Shelley say why she left?",
        "Who are those keepers of the lamp?", "What is the book about?", "玛丽写了什么书？",
        "还有其他的船吗？", "灯塔是谁建的？", "", "?"}) {
    EXPECT_FALSE(LeansOnConversation(question)) << question;
  }
}

TEST(FollowUpTest, AddsTheNamesOfTheEarlierQuestion) {
  Analyzer analyzer;
  EXPECT_THAT(RewriteByRules("Where did she live?", kMary, analyzer),
              Optional(std::string("Where did she live? (Mary Shelley Frankenstein)")));
  EXPECT_THAT(RewriteByRules("And in 1816?", kMary, analyzer),
              Optional(std::string("And in 1816? (When did Mary Shelley write Frankenstein)")));
  EXPECT_THAT(
      RewriteByRules("他住在哪里？", {.question = "玛丽写了什么书？", .answer = {}}, analyzer),
      Optional(std::string("他住在哪里？ (玛丽写了什么书)")));
}

TEST(FollowUpTest, ChangesNoWholeQuestion) {
  Analyzer analyzer;
  EXPECT_EQ(RewriteByRules("Why did the ship sink?", kMary, analyzer), std::nullopt);
  EXPECT_EQ(RewriteByRules("Why?", {.question = "Why?", .answer = {}}, analyzer), std::nullopt);
}

TEST(FollowUpTest, TrustsOnlyRewritingsFromTheConversation) {
  Analyzer analyzer;
  const std::string_view question = "Where did she live?";
  EXPECT_TRUE(IsFaithfulRewriting("Where did Mary Shelley live?", question, kMary, analyzer));
  // It invents a name, drops the question's word, or adds nothing.
  EXPECT_FALSE(IsFaithfulRewriting("Where did Jane Austen live?", question, kMary, analyzer));
  EXPECT_FALSE(IsFaithfulRewriting("What did Mary Shelley write?", question, kMary, analyzer));
  EXPECT_FALSE(IsFaithfulRewriting("Where did she live?", question, kMary, analyzer));
}

// A model that gives one reply to everything.
class OneReply : public AnswerModel {
 public:
  explicit OneReply(std::string reply) : reply_(std::move(reply)) {}

  std::unique_ptr<ReadMessages> Read(std::span<const PromptMessage> /*messages*/,
                                     int64_t /*reply_tokens*/, ComputedTokens& /*computed*/,
                                     const WorkControl& /*control*/) const override {
    return std::make_unique<Messages>(reply_);
  }
  std::optional<std::vector<double>> QuestionLikelihoods(
      std::string_view /*question*/, std::span<const std::string> /*texts*/,
      ComputedTokens& /*computed*/, const WorkControl& /*control*/) const override {
    return std::nullopt;
  }

 private:
  class Messages : public ReadMessages {
   public:
    explicit Messages(std::string reply) : reply_(std::move(reply)) {}
    std::vector<ScoredText> Reply(std::span<const ReplyRequest> replies,
                                  const SamplingOptions& /*sampling*/) override {
      return std::vector<ScoredText>(replies.size(), ScoredText{.tokens = {1}, .text = reply_});
    }

   private:
    std::string reply_;
  };
  std::string reply_;
};

TEST(FollowUpTest, TakesTheWordsOfAModelWhereTheyAreFaithful) {
  Analyzer analyzer;
  const OneReply good("Where did Mary Shelley live? She lived in Rome.");
  EXPECT_THAT(RewriteFollowUp("Where did she live?", kMary, &good, analyzer, {}),
              Optional(std::string("Where did Mary Shelley live?")));
  const OneReply invents("Where did Jane Austen live?");
  const std::string by_rules = "Where did she live? (Mary Shelley Frankenstein)";
  EXPECT_THAT(RewriteFollowUp("Where did she live?", kMary, &invents, analyzer, {}),
              Optional(by_rules));
  EXPECT_THAT(RewriteFollowUp("Where did she live?", kMary, nullptr, analyzer, {}),
              Optional(by_rules));
  EXPECT_EQ(RewriteFollowUp("Why did the ship sink?", kMary, &good, analyzer, {}), std::nullopt);
}

}  // namespace
}  // namespace tome
