#include "tome/answer/reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/expect_error.h"
#include "tests/generate/golden_session.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> NotesOf(const Answer& answer) {
  std::vector<std::string> notes;
  for (const Note& note : answer.notes) notes.push_back(note.text);
  return notes;
}

class ReplyTest : public SessionTest {
 protected:
  // Returns a session that has read a prompt.
  Session Prompted(int64_t max_tokens = 512) {
    Session session = NewSession(max_tokens);
    session.Prefill(std::span(golden_.tokens).first(64), {});
    return session;
  }

  // Lets the reply take these pieces instead of what the model writes. Returns what its sink
  // answered to the last piece.
  bool Give(ModelReply& reply, const std::vector<std::string_view>& pieces) {
    Session session = Prompted();
    const SessionWriting writing = reply.Of(session);
    bool more = true;
    for (const std::string_view piece : pieces) more = writing.sink(piece);
    return more;
  }

  // Returns a sink that records the text.
  TextSink Shown() {
    return [this](std::string_view text) {
      shown_.emplace_back(text);
      return true;
    };
  }

  Answer answer_;
  std::vector<std::string> shown_;
  WorkControl control_;
};

TEST_F(ReplyTest, IsWhatTheSessionGenerates) {
  Session alone = Prompted();
  const Generated expected =
      alone.Generate({.sampling = {}, .max_tokens = 9, .stops = {}, .stop = {}}, {});
  ASSERT_FALSE(expected.text.empty());
  Session session = Prompted();
  answer_.generated_tokens = 5;  // of an earlier part
  ModelReply reply(answer_, {.sampling = {}, .max_tokens = 9}, Shown(), control_);
  const SessionWriting writing = reply.Of(session);
  EXPECT_EQ(writing.session, &session);
  const std::vector<Generated> generated = GenerateTogether({&writing, 1});
  reply.Finish(generated.front());
  EXPECT_EQ(answer_.text, expected.text);
  EXPECT_EQ(answer_.generated_tokens, 5 + expected.tokens.size());
  EXPECT_EQ(answer_.generate_seconds, generated.front().seconds);
  std::string shown;
  for (const std::string& text : shown_) shown += text;
  EXPECT_EQ(shown, expected.text);
}

TEST_F(ReplyTest, PassesItsOptionsOn) {
  Session session = Prompted();
  std::stop_source source;
  control_.stop = source.get_token();
  ModelReply reply(answer_,
                   {.sampling = {.temperature = 0.7F, .seed = 11},
                    .max_tokens = 123,
                    .speculation = Speculation::kNone},
                   {}, control_);
  const GenerateOptions options = reply.Of(session).options;
  EXPECT_EQ(options.sampling.temperature, 0.7F);
  EXPECT_EQ(options.sampling.seed, 11U);
  EXPECT_EQ(options.max_tokens, 123);
  EXPECT_EQ(options.speculation, Speculation::kNone);
  EXPECT_THAT(options.stops, IsEmpty());
  source.request_stop();
  EXPECT_TRUE(options.stop.stop_requested());
}

TEST_F(ReplyTest, ThinkingIsNotShown) {
  ModelReply reply(answer_, {.sampling = {}}, Shown(), control_);
  EXPECT_TRUE(Give(reply, {"<thi", "nk>Hm, the", " lamp.</think>\n", "\nThe ke", "eper."}));
  reply.Finish({});
  EXPECT_EQ(answer_.text, "The keeper.");
  EXPECT_THAT(shown_, ElementsAre("The ke", "eper."));
  EXPECT_THAT(answer_.notes, IsEmpty());
}

TEST_F(ReplyTest, ThinkingThatTheTemplateBeganIsNotShownEither) {
  ModelReply reply(answer_, {.sampling = {}, .begins_thinking = true}, Shown(), control_);
  Give(reply, {"Hm.</think>The keeper."});
  reply.Finish({});
  EXPECT_EQ(answer_.text, "The keeper.");
}

TEST_F(ReplyTest, WhatLooksLikeThinkingUntilTheEndIsShown) {
  ModelReply reply(answer_, {.sampling = {}}, Shown(), control_);
  Give(reply, {"<thi"});
  EXPECT_EQ(answer_.text, "");
  reply.Finish({});
  EXPECT_EQ(answer_.text, "<thi");
  EXPECT_THAT(shown_, ElementsAre("<thi"));
}

TEST_F(ReplyTest, TheSinkEndsIt) {
  ModelReply reply(
      answer_, {.sampling = {}}, [](std::string_view text) { return text != "no"; }, control_);
  EXPECT_TRUE(Give(reply, {"yes"}));
  EXPECT_FALSE(Give(reply, {"no"}));
  EXPECT_EQ(answer_.text, "yesno");
}

TEST_F(ReplyTest, SaysHowItEnded) {
  const auto notes_of = [&](FinishReason finish, std::string_view text) {
    Answer answer;
    ModelReply reply(answer, {.sampling = {}, .max_tokens = 77}, {}, control_);
    Give(reply, {text});
    Generated generated;
    generated.finish = finish;
    reply.Finish(generated);
    return NotesOf(answer);
  };
  EXPECT_THAT(notes_of(FinishReason::kEnd, "A."), IsEmpty());
  EXPECT_THAT(notes_of(FinishReason::kStop, "A."), IsEmpty());
  EXPECT_THAT(notes_of(FinishReason::kMaxTokens, "A."),
              ElementsAre(HasSubstr("limit of 77 tokens")));
  EXPECT_THAT(notes_of(FinishReason::kContext, "A."), ElementsAre(HasSubstr("context")));
  EXPECT_THAT(notes_of(FinishReason::kEnd, "<think>Hm."), ElementsAre(HasSubstr("still thinking")));
  EXPECT_THAT(notes_of(FinishReason::kMaxTokens, "<think>Hm."),
              ElementsAre(HasSubstr("77"), HasSubstr("still thinking")));
}

TEST_F(ReplyTest, ACancelledReplyIsAnError) {
  std::stop_source source;
  control_.stop = source.get_token();
  ModelReply reply(answer_, {.sampling = {}, .max_tokens = 9}, {}, control_);
  Session session = Prompted();
  const SessionWriting writing = reply.Of(session);
  source.request_stop();
  const std::vector<Generated> generated = GenerateTogether({&writing, 1});
  EXPECT_TRUE(Fails(Code::kCancelled, [&] { reply.Finish(generated.front()); }));
}

TEST(EndsThinkingTest, IsSeenAtTheEndOfThePrompt) {
  VocabularySpec spec = LetterVocabulary();
  spec.tokens[0] = "<think>";
  spec.token_types[0] = static_cast<int32_t>(TokenType::kControl);
  spec.tokens[1] = "\n";
  spec.tokens[2] = "<thi";
  spec.tokens[3] = "nk>";
  const auto tokenizer = Tokenizer::Create(spec);
  const auto ends = [&](const std::vector<TokenId>& prompt) {
    return EndsThinking(*tokenizer, prompt);
  };
  const TokenId letter = 'A' - '!';
  EXPECT_TRUE(ends({letter, 0}));
  EXPECT_TRUE(ends({letter, 0, 1, 1}));
  EXPECT_TRUE(ends({letter, 2, 3, 1}));
  EXPECT_FALSE(ends({0, letter}));
  EXPECT_FALSE(ends({0, 1, letter, 1}));
  EXPECT_FALSE(ends({letter, 2}));
  EXPECT_FALSE(ends({1, 1}));
  EXPECT_FALSE(ends({}));
}

}  // namespace
}  // namespace tome
