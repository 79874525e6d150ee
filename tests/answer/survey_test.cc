#include "tome/answer/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/library/library_fixture.h"
#include "tome/base/error.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A model whose summary is the first line of what it is given, and to which a text tells the more of
// a question the more often it holds "wreck".
class LineModel : public AnswerModel {
 public:
  std::unique_ptr<ReadMessages> Read(std::span<const PromptMessage> messages,
                                     int64_t /*reply_tokens*/, ComputedTokens& computed,
                                     const WorkControl& /*control*/) const override {
    ++calls;
    if (calls == stop_at) throw Error(Code::kCancelled, "stopped");
    computed.read += static_cast<int64_t>(messages.front().text.size());
    const std::string text = messages.front().text;
    return std::make_unique<Messages>(invents ? "The Pequod sank in 1851."
                                              : text.substr(0, text.find('\n')));
  }
  std::optional<std::vector<double>> QuestionLikelihoods(
      std::string_view /*question*/, std::span<const std::string> texts,
      ComputedTokens& /*computed*/, const WorkControl& /*control*/) const override {
    ++calls;
    std::vector<double> all;
    for (const std::string& text : texts) {
      all.push_back(text.find("wreck") == std::string::npos ? -5 : -1);
    }
    return all;
  }

  bool invents = false;
  int stop_at = 0;
  mutable int calls = 0;

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
};

constexpr std::string_view kText =
    "The brig Halcyon was a wreck by the morning.\n\n"
    "Whale oil was replaced by a kerosene burner later.\n\n"
    "The keeper found a wreck of a schooner on the reef.\n\n"
    "Nobody aboard either of the ships was hurt that night.\n\n"
    "The lamp of the tower was lit by the keeper at dusk.\n\n"
    "In the spring the keeper painted the tower white again.\n";

class SurveyTest : public LibraryFixture {
 protected:
  void SetUp() override {
    documents_.push_back(
        {.id = library_.Add(folder_.Write("a.txt", kText), {}).id, .name = "a.txt"});
  }

  Answer Ask(std::string_view question, WholeKind kind) {
    Answer answer;
    answer.question = question;
    Survey(library_, documents_, model_,
           {.whole = {.kind = kind},
            .window = {.tokens = 14, .overlap = 0},
            .model_key = "model",
            .budget_seconds = budget_,
            .window_seconds = 1},
           answer, {});
    for (const Citation& citation : answer.citations) {
      EXPECT_EQ(citation.quote, kText.substr(citation.span.begin, citation.span.size()));
    }
    return answer;
  }

  Library library_ = Open();
  std::vector<NamedDocument> documents_;
  LineModel model_;
  double budget_ = 1000;
};

TEST_F(SurveyTest, ListsTheSentencesThatAreAboutTheQuestion) {
  const Answer answer = Ask("List every wreck.", WholeKind::kList);
  ASSERT_EQ(answer.citations.size(), 2U);
  EXPECT_THAT(answer.citations[0].quote, HasSubstr("Halcyon"));
  EXPECT_THAT(answer.citations[1].quote, HasSubstr("schooner"));
  EXPECT_TRUE(answer.text.starts_with("2 places of the text speak of it:")) << answer.text;
  EXPECT_THAT(answer.text, HasSubstr("morning. [1]\n- "));
  EXPECT_EQ(answer.support, Support::kSupported);
}

TEST_F(SurveyTest, CitesEverySentenceOfASummary) {
  const Answer answer = Ask("Summarise the text.", WholeKind::kSummary);
  ASSERT_FALSE(answer.sentences.empty());
  EXPECT_LE(answer.sentences.size(), 6U);
  for (const SentenceSupport& sentence : answer.sentences) {
    EXPECT_THAT(sentence.citations, testing::Not(IsEmpty()));
    EXPECT_NE(kText.find(answer.text.substr(sentence.span.begin, sentence.span.size())),
              std::string_view::npos);
  }
}

TEST_F(SurveyTest, PutsASentenceOfTheTextInThePlaceOfAnInventedOne) {
  model_.invents = true;
  const Answer answer = Ask("Summarise the text.", WholeKind::kSummary);
  EXPECT_EQ(answer.text.find("Pequod"), std::string::npos) << answer.text;
  EXPECT_EQ(answer.text.find("1851"), std::string::npos) << answer.text;
}

TEST_F(SurveyTest, ARepeatedQuestionAsksTheModelNothing) {
  const Answer first = Ask("Summarise the text.", WholeKind::kSummary);
  EXPECT_GT(model_.calls, 1);
  model_.calls = 0;
  const Answer second = Ask("Summarise the text.", WholeKind::kSummary);
  EXPECT_EQ(model_.calls, 0);
  EXPECT_EQ(second.text, first.text);
  // Another question of another kind is read anew.
  Ask("List every wreck.", WholeKind::kList);
  EXPECT_GT(model_.calls, 0);
}

TEST_F(SurveyTest, AStoppedSurveyGoesOnWhereItWas) {
  const int all = [&] {
    Ask("Summarise the text.", WholeKind::kSummary);
    return model_.calls;
  }();
  library_.Remove(documents_.front().id, {});
  documents_.clear();
  SetUp();
  model_.calls = 0;
  model_.stop_at = 3;
  EXPECT_THROW(Ask("Summarise the text.", WholeKind::kSummary), Error);
  model_.calls = 0;
  model_.stop_at = 0;
  Ask("Summarise the text.", WholeKind::kSummary);
  EXPECT_EQ(model_.calls, all - 2);
}

TEST_F(SurveyTest, OverTheBudgetItReadsASpreadSampleAndSaysSo) {
  budget_ = 2;
  const Answer answer = Ask("Summarise the text.", WholeKind::kSummary);
  ASSERT_FALSE(answer.notes.empty());
  EXPECT_THAT(answer.notes.front().text, HasSubstr("2 of "));
  EXPECT_THAT(answer.notes.front().advice, ElementsAre(Advice::Raise(Setting::kBudget)));
  EXPECT_LT(answer.read_characters, kText.size());
}

TEST_F(SurveyTest, CountsWordsExactlyAndCitesThem) {
  Answer answer;
  answer.question = "How often is the keeper mentioned?";
  CountOccurrences(library_, documents_, "Keeper", answer, {});
  EXPECT_TRUE(answer.text.starts_with("\"Keeper\" occurs 3 times:")) << answer.text;
  EXPECT_EQ(answer.citations.size(), 3U);
}

TEST(OccurrencesTest, AreWholeWordsInAnyOrthography) {
  EXPECT_EQ(OccurrencesOf("lamp", "Lamp, lamps; a LAMP. clamp").size(), 2U);
  EXPECT_EQ(OccurrencesOf("aa", "aaaa aa").size(), 1U);
  EXPECT_EQ(OccurrencesOf("", "text").size(), 0U);
  const std::string_view text = "燈塔在海邊，灯塔很高。";
  const std::vector<TextSpan> found = OccurrencesOf("灯塔", text);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(text.substr(found[0].begin, found[0].size()), "燈塔");
  EXPECT_EQ(text.substr(found[1].begin, found[1].size()), "灯塔");
}

}  // namespace
}  // namespace tome
