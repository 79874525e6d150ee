#include "tome/generate/scored_writing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "tests/expect_error.h"
#include "tests/generate/golden_session.h"
#include "tome/text/sentences.h"

namespace tome {
namespace {

constexpr TokenId kEndToken = 63;  // of LetterVocabulary
// The tolerance of log-probabilities is the one that LogProbability promises.
constexpr double kLogTolerance = 2e-6;

std::vector<double> LogSoftmax(std::span<const float> logits) {
  long double sum = 0;
  for (auto at = logits.rbegin(); at != logits.rend(); ++at) {
    sum += std::exp(static_cast<long double>(*at));
  }
  std::vector<double> result;
  for (const float logit : logits) result.push_back(static_cast<double>(logit - std::log(sum)));
  return result;
}

class ScoredWritingTest : public SessionTest {
 protected:
  // Returns a session that has read golden tokens, `count` of them from `begin` on.
  Session NewSessionAt(size_t begin, size_t count, int64_t max_tokens = 512) {
    Session session = NewSession(max_tokens);
    session.Prefill(std::span(golden_.tokens).subspan(begin, count), {});
    return session;
  }

  static ScoredText Write(const ScoredWriting& writing, const ScoredWritingOptions& options,
                          const TextSink& sink = {}) {
    std::vector<ScoredText> texts = WriteScored({&writing, 1}, options, sink);
    EXPECT_EQ(texts.size(), 1U);
    return std::move(texts.front());
  }

  // Returns the log-probabilities of each token of `text` and of the end of generation, each after
  // `prompt` and the tokens of `text` before it; [text + 1][vocabulary].
  std::vector<std::vector<double>> RowsBehind(std::span<const TokenId> prompt,
                                              const std::vector<TokenId>& text) {
    std::vector<TokenId> all(prompt.begin(), prompt.end());
    all.insert(all.end(), text.begin(), text.end());
    Memory memory = model_->NewMemory({.kv = KvType::kF32, .max_tokens = 512});
    const std::vector<float> logits =
        LogitsInPasses(*model_, memory, all, 100, {SelectKernelSet(), threads_});
    const auto vocabulary = static_cast<size_t>(model_->facts().vocabulary);
    std::vector<std::vector<double>> rows;
    for (size_t i = prompt.size() - 1; i < all.size(); ++i) {
      rows.push_back(LogSoftmax(std::span(logits).subspan(i * vocabulary, vocabulary)));
    }
    return rows;
  }

  std::vector<TokenId> TokensOf(const Session& session) const {
    return {session.tokens().begin(), session.tokens().end()};
  }
};

TEST_P(ScoredWritingTest, WithoutContrastItIsTheSessionsText) {
  for (const double temperature : {0.0, 0.9}) {
    Session session = NewSession();
    session.Prefill(Prompt(), {});
    Session other = session.Fork();
    const SamplingOptions sampling{.temperature = temperature, .seed = 5};
    const Generated expected =
        session.Generate({.sampling = sampling, .max_tokens = 60, .stops = {}, .stop = {}}, {});
    std::string seen;
    const ScoredText text = Write({.session = &other, .sampling = sampling},
                                  {.max_tokens = 60, .stop = {}}, [&](std::string_view part) {
                                    seen += part;
                                    return true;
                                  });
    EXPECT_EQ(text.tokens, expected.tokens);
    EXPECT_EQ(text.text, expected.text);
    EXPECT_EQ(text.finish, expected.finish);
    EXPECT_EQ(seen, expected.text);
    EXPECT_TRUE(std::ranges::equal(other.tokens(), session.tokens()));
    EXPECT_TRUE(std::ranges::equal(other.logits(), session.logits()));
  }
}

TEST_P(ScoredWritingTest, TheLikelihoodIsTheMeanOfAllTokensChosen) {
  for (const double temperature : {0.0, 1.5}) {
    for (const int64_t most : {1, 7, 200}) {
      Session session = NewSessionAt(0, 64);
      const std::vector<TokenId> prompt = TokensOf(session);
      const ScoredText text = Write({.session = &session, .sampling = {.temperature = temperature}},
                                    {.max_tokens = most, .stop = {}});
      std::vector<TokenId> chosen = text.tokens;
      if (text.finish == FinishReason::kEnd) chosen.push_back(kEndToken);
      const std::vector<std::vector<double>> rows = RowsBehind(prompt, text.tokens);
      double total = 0;
      for (size_t i = 0; i < chosen.size(); ++i) total += rows[i][static_cast<size_t>(chosen[i])];
      EXPECT_NEAR(text.log_probability, total / static_cast<double>(chosen.size()), kLogTolerance)
          << "temperature " << temperature << " most " << most;
      EXPECT_LE(static_cast<int64_t>(text.tokens.size()), most);
      if (text.finish == FinishReason::kMaxTokens) {
        EXPECT_EQ(std::ssize(text.tokens), most);
      }
    }
  }
}

TEST_P(ScoredWritingTest, TogetherEachIsAsAlone) {
  Session base = NewSessionAt(0, 100);
  const AttentionTap tap{
      .heads = {{.layer = 0, .head = 1}}, .spans = {{3, 70}, {90, 110}}, .mass = {}};
  struct Case {
    std::vector<Session> sessions;  // with evidence, then maybe without
    std::vector<AttentionTap> tap;
    ScoredWriting writing;
  };
  const auto cases = [&] {
    std::vector<Case> all(5);
    for (size_t i = 0; i < all.size(); ++i) {
      all[i].sessions.push_back(i == 4 ? NewSessionAt(200, 30) : base.Fork());
      if (i > 0) all[i].sessions[0].Prefill(std::span(golden_.tokens).subspan(7 * i, 3), {});
      if (i % 2 == 1) all[i].sessions.push_back(NewSessionAt(300, 10 * i));
      if (i % 3 == 0) all[i].tap.push_back(tap);
    }
    for (Case& each : all) {
      each.writing = {.session = &each.sessions[0],
                      .without = each.sessions.size() > 1 ? &each.sessions[1] : nullptr,
                      .tap = each.tap.empty() ? nullptr : each.tap.data()};
    }
    return all;
  };
  for (const double temperature : {0.0, 0.9}) {
    const ScoredWritingOptions options{.max_tokens = 40, .stop = {}};
    std::vector<Case> alone = cases();
    std::vector<Case> together = cases();
    for (std::vector<Case>* all : {&alone, &together}) {
      for (Case& each : *all) each.writing.sampling = {.temperature = temperature, .seed = 3};
    }
    std::vector<ScoredWriting> writings;
    for (const Case& each : together) writings.push_back(each.writing);
    std::string seen;
    const std::vector<ScoredText> texts =
        WriteScored(writings, options, [&](std::string_view part) {
          seen += part;
          return true;
        });
    ASSERT_EQ(texts.size(), alone.size());
    for (size_t i = 0; i < alone.size(); ++i) {
      SCOPED_TRACE(i);
      const ScoredText expected = Write(alone[i].writing, options);
      EXPECT_EQ(texts[i].tokens, expected.tokens);
      EXPECT_EQ(texts[i].text, expected.text);
      EXPECT_EQ(texts[i].log_probability, expected.log_probability);
      EXPECT_EQ(texts[i].finish, expected.finish);
      for (size_t j = 0; j < alone[i].sessions.size(); ++j) {
        EXPECT_TRUE(
            std::ranges::equal(together[i].sessions[j].logits(), alone[i].sessions[j].logits()));
      }
      if (!alone[i].tap.empty()) {
        EXPECT_EQ(together[i].tap[0].mass, alone[i].tap[0].mass);
      }
    }
    EXPECT_EQ(seen, texts[0].text);
  }
}

TEST_P(ScoredWritingTest, TheTapCountsTheTextsTokens) {
  Session session = NewSessionAt(0, 64);
  Session fresh = session.Fork();
  AttentionTap tap{.heads = {{.layer = 0, .head = 1}}, .spans = {{0, 30}, {30, 100}}, .mass = {}};
  AttentionTap expected = tap;
  const ScoredText text = Write({.session = &session, .tap = &tap}, {.max_tokens = 20, .stop = {}});
  // The last token is chosen and then attends nothing.
  ASSERT_GT(text.tokens.size(), 1U);
  const size_t read = session.tokens().size() - 64;
  EXPECT_EQ(read, text.tokens.size() - (text.finish == FinishReason::kEnd ? 0 : 1));
  const SessionReading reading{
      .session = &fresh, .tokens = std::span(text.tokens).first(read), .tap = &expected};
  PrefillTogether({&reading, 1}, {});
  for (size_t j = 0; j < 2; ++j) EXPECT_NEAR(tap.At(0, j), expected.At(0, j), 1e-11);
  if (model_->facts().has_attention()) {
    EXPECT_NEAR(tap.At(0, 0) + tap.At(0, 1), static_cast<double>(read), 1e-11);
  }
}

// A contrast of equal distributions cancels: 1.5 ln p − 0.5 ln p = ln p.
TEST_P(ScoredWritingTest, AContrastToTheSamePromptChangesNothing) {
  Session plain = NewSessionAt(0, 64);
  Session with = NewSessionAt(0, 64);
  Session without = NewSessionAt(0, 64);
  const ScoredWritingOptions options{.max_tokens = 60, .stop = {}};
  const ScoredText expected = Write({.session = &plain}, options);
  const ScoredText text = Write({.session = &with, .without = &without}, options);
  EXPECT_EQ(text.tokens, expected.tokens);
  EXPECT_EQ(text.text, expected.text);
  EXPECT_EQ(text.log_probability, expected.log_probability);
  EXPECT_TRUE(std::ranges::equal(without.tokens(), with.tokens()));
}

TEST_P(ScoredWritingTest, AContrastChoosesByTheFormula) {
  size_t others = 0;  // tokens that are not the likeliest with evidence
  for (const size_t at : {64, 130, 200, 250, 310}) {
    Session with = NewSessionAt(0, 64);
    Session without = NewSessionAt(at, 40);
    const std::vector<TokenId> prompt = TokensOf(with);
    const std::vector<TokenId> prompt_without = TokensOf(without);
    const ScoredText text =
        Write({.session = &with, .without = &without}, {.max_tokens = 40, .stop = {}});
    std::vector<TokenId> chosen = text.tokens;
    if (text.finish == FinishReason::kEnd) chosen.push_back(kEndToken);
    const auto p = RowsBehind(prompt, text.tokens);
    const auto q = RowsBehind(prompt_without, text.tokens);
    double total = 0;
    for (size_t i = 0; i < chosen.size(); ++i) {
      const auto token = static_cast<size_t>(chosen[i]);
      const double largest = *std::ranges::max_element(p[i]);
      const auto value = [&](size_t id) { return 1.5 * p[i][id] - 0.5 * q[i][id]; };
      const auto likely = [&](size_t id) { return std::exp(p[i][id] - largest) >= 0.1; };
      EXPECT_TRUE(likely(token));
      for (size_t id = 0; id < p[i].size(); ++id) {
        // Scores are compared in float.
        if (!likely(id)) continue;
        EXPECT_GE(value(token), value(id) - std::abs(value(id)) * 0x1p-22) << i;
      }
      others += p[i][token] != largest;
      total += p[i][token];
    }
    EXPECT_NEAR(text.log_probability, total / static_cast<double>(chosen.size()), kLogTolerance);
    // Both sessions have read the same tokens of the text, which may lack the last one.
    EXPECT_TRUE(std::ranges::equal(with.tokens().subspan(prompt.size()),
                                   without.tokens().subspan(prompt_without.size())));
  }
  EXPECT_GT(others, 0U);
}

INSTANTIATE_TEST_SUITE_P(Variants, ScoredWritingTest,
                         testing::Values("llama", "gemma2", "qwen2-dca", "mamba", "jamba"),
                         VariantName);

class RecurrentScoredWritingTest : public ScoredWritingTest {};
INSTANTIATE_TEST_SUITE_P(Variants, RecurrentScoredWritingTest, testing::Values("mamba", "jamba"),
                         VariantName);

// Texts are tried after one prompt, so the checkpoint at its end must stay.
TEST_P(RecurrentScoredWritingTest, TheSessionCanGoBackToItsPrompt) {
  Session session = NewSessionAt(0, 64);
  const ScoredText text = Write({.session = &session}, {.max_tokens = 20, .stop = {}});
  ASSERT_GT(text.tokens.size(), kCheckpoints);
  EXPECT_EQ(session.Truncate(64), 64);
}

class PlainScoredWritingTest : public ScoredWritingTest {
 protected:
  // Makes the piece of `id` another one.
  void Replace(TokenId id, const std::string& piece, TokenType type) {
    VocabularySpec spec = LetterVocabulary();
    spec.tokens[static_cast<size_t>(id)] = piece;
    spec.token_types[static_cast<size_t>(id)] = static_cast<int32_t>(type);
    if (type == TokenType::kControl) {
      spec.tokens[kEndToken] = "z";
      spec.token_types[kEndToken] = static_cast<int32_t>(TokenType::kNormal);
      spec.bos = spec.eos = id;
    }
    tokenizer_ = Tokenizer::Create(std::move(spec));
  }
  ScoredText Greedy(int64_t most, const TextSink& sink = {}) {
    Session session = NewSessionAt(0, 64);
    return Write({.session = &session}, {.max_tokens = most, .stop = {}}, sink);
  }
  // Returns the index of the first token of `text`, from `from` on, that occurs nowhere before.
  static size_t FirstOfItsKind(const std::vector<TokenId>& text, size_t from) {
    for (size_t i = from; i < text.size(); ++i) {
      if (std::find(text.begin(), text.begin() + static_cast<ptrdiff_t>(i), text[i]) ==
          text.begin() + static_cast<ptrdiff_t>(i)) {
        return i;
      }
    }
    ADD_FAILURE() << "all tokens from " << from << " on stand before";
    return 0;
  }
};
INSTANTIATE_TEST_SUITE_P(Llama, PlainScoredWritingTest, testing::Values("llama"));

TEST_P(PlainScoredWritingTest, EndsBehindItsSentencesOnceAnotherBegins) {
  const std::vector<TokenId> tokens = Greedy(60).tokens;
  ASSERT_GT(tokens.size(), 12U);
  // A token that first occurs after some others now ends a sentence.
  const size_t first = FirstOfItsKind(tokens, 3);
  Replace(tokens[first], "。", TokenType::kNormal);
  const ScoredText whole = Greedy(60);
  std::vector<size_t> ends;  // of sentences, in bytes
  for (size_t at = whole.text.find("。"); at != std::string::npos;
       at = whole.text.find("。", at + 1)) {
    ends.push_back(at + std::string_view("。").size());
  }
  ASSERT_FALSE(ends.empty());
  ASSERT_LT(ends.front(), whole.text.size());
  for (const int64_t most : {0, 1, 2, 100}) {
    Session session = NewSessionAt(0, 64);
    const ScoredText text =
        Write({.session = &session, .most_sentences = most}, {.max_tokens = 60, .stop = {}});
    if (most == 1) {
      EXPECT_EQ(text.text, whole.text.substr(0, ends.front()));
      EXPECT_EQ(text.finish, FinishReason::kStop);
      EXPECT_EQ(text.tokens.size(), first + 2);  // with the token that begins the next sentence
    } else if (most != 2) {
      EXPECT_EQ(text.text, whole.text);
      EXPECT_EQ(text.finish, whole.finish);
    } else {
      EXPECT_TRUE(whole.text.starts_with(text.text));
      EXPECT_GT(text.text.size(), ends.front());
    }
  }
}

// The end is not known while a text is written, and letters after a full stop decide whether the
// sentence goes on. The cut must be where it is in the whole text.
TEST_P(PlainScoredWritingTest, IsCutWhereTheWholeTextIs) {
  const std::vector<TokenId> tokens = Greedy(60).tokens;
  for (const char* const piece : {"c. ", ". ", "。", "! ", "\n"}) {
    SCOPED_TRACE(piece);
    Replace(tokens[FirstOfItsKind(tokens, 3)], piece, TokenType::kNormal);
    const ScoredText whole = Greedy(60);
    SentenceSplitter splitter;
    Session session = NewSessionAt(0, 64);
    const ScoredText text =
        Write({.session = &session, .most_sentences = 1}, {.max_tokens = 60, .stop = {}});
    EXPECT_EQ(text.text, whole.text.substr(0, splitter.Ends(whole.text).front()));
  }
}

TEST_P(PlainScoredWritingTest, EndsWithTheEndOfGenerationWhichIsNoText) {
  const ScoredText whole = Greedy(60);
  const size_t at = FirstOfItsKind(whole.tokens, 3);
  Replace(whole.tokens[at], "<end>", TokenType::kControl);
  const ScoredText text = Greedy(60);
  EXPECT_EQ(text.finish, FinishReason::kEnd);
  EXPECT_EQ(text.tokens, std::vector<TokenId>(whole.tokens.begin(),
                                              whole.tokens.begin() + static_cast<ptrdiff_t>(at)));
  EXPECT_EQ(text.text, whole.text.substr(0, at));
  // The end counts in the likelihood: it is that of the same tokens, written up to and including
  // the end's.
  EXPECT_NEAR(text.log_probability, Greedy(static_cast<int64_t>(at) + 1).log_probability, 1e-15);
}

TEST_P(PlainScoredWritingTest, AnEndAtOnceIsAnEmptyText) {
  Replace(Greedy(1).tokens.front(), "<end>", TokenType::kControl);
  const ScoredText text = Greedy(60);
  EXPECT_EQ(text.finish, FinishReason::kEnd);
  EXPECT_TRUE(text.tokens.empty());
  EXPECT_EQ(text.text, "");
  EXPECT_LT(text.log_probability, 0);
}

TEST_P(PlainScoredWritingTest, EndsAtTheLimitOrWhereTheSinkSaysSo) {
  const ScoredText whole = Greedy(60);
  ASSERT_GT(whole.text.size(), 12U);
  const ScoredText few = Greedy(3);
  EXPECT_EQ(few.finish, FinishReason::kMaxTokens);
  EXPECT_EQ(few.text, whole.text.substr(0, 3));
  EXPECT_EQ(few.tokens.size(), 3U);
  std::string seen;
  const TextSink until_five = [&](std::string_view part) {
    seen += part;
    return seen.size() < 5;
  };
  const ScoredText refused = Greedy(60, until_five);
  EXPECT_EQ(refused.finish, FinishReason::kStop);
  EXPECT_EQ(refused.text, whole.text.substr(0, 5));
  EXPECT_EQ(seen, refused.text);
  // Only the first text is shown and stopped; the others go on.
  seen.clear();
  Session one = NewSessionAt(0, 64);
  Session other = NewSessionAt(100, 64);
  Session alone = NewSessionAt(100, 64);
  const std::vector<ScoredWriting> writings{{.session = &one}, {.session = &other}};
  const ScoredWritingOptions options{.max_tokens = 30, .stop = {}};
  const std::vector<ScoredText> texts = WriteScored(writings, options, until_five);
  EXPECT_EQ(texts[0].text, whole.text.substr(0, 5));
  EXPECT_EQ(texts[0].finish, FinishReason::kStop);
  EXPECT_EQ(seen, texts[0].text);
  EXPECT_EQ(texts[1].text, Write({.session = &alone}, options).text);
}

TEST_P(PlainScoredWritingTest, AnIncompleteCharacterAtTheLimitIsDropped) {
  const ScoredText whole = Greedy(60);
  const size_t at = FirstOfItsKind(whole.tokens, 3);
  // The piece becomes the first byte of a character of three.
  Replace(whole.tokens[at], "<0xE7>", TokenType::kByte);
  std::string seen;
  const ScoredText text = Greedy(static_cast<int64_t>(at) + 1, [&](std::string_view part) {
    seen += part;
    return true;
  });
  EXPECT_EQ(text.finish, FinishReason::kMaxTokens);
  EXPECT_EQ(text.tokens.size(), at + 1);
  EXPECT_EQ(text.text, whole.text.substr(0, at));
  EXPECT_EQ(seen, text.text);
  // Where the text continues differently, the byte cannot be shown.
  EXPECT_THAT(Greedy(static_cast<int64_t>(at) + 2).text,
              testing::StartsWith(whole.text.substr(0, at)));
}

TEST_P(PlainScoredWritingTest, StoppedItIsCancelled) {
  Session session = NewSessionAt(0, 64);
  std::stop_source source;
  const ScoredWriting writing{.session = &session};
  std::string seen;
  EXPECT_TRUE(Fails(Code::kCancelled, [&] {
    WriteScored({&writing, 1}, {.max_tokens = 60, .stop = source.get_token()},
                [&](std::string_view part) {
                  seen += part;
                  if (seen.size() == 5) source.request_stop();
                  return true;
                });
  }));
  EXPECT_EQ(seen, Greedy(5).text);
  EXPECT_TRUE(Fails(Code::kCancelled, [&] {
    WriteScored({&writing, 1}, {.stop = source.get_token()}, [](std::string_view) {
      ADD_FAILURE() << "text after the stop";
      return true;
    });
  }));
  EXPECT_EQ(session.memory().length(), static_cast<int64_t>(session.tokens().size()));
}

TEST_P(PlainScoredWritingTest, OptionsWithoutMeaningAreRefusedBeforeATokenIsChosen) {
  Session session = NewSessionAt(0, 64);
  const ScoredWriting writing{.session = &session};
  const TextSink never = [](std::string_view) {
    ADD_FAILURE() << "text before the options were checked";
    return true;
  };
  for (const ScoredWritingOptions& options : {ScoredWritingOptions{.max_tokens = 0, .stop = {}},
                                              ScoredWritingOptions{.max_tokens = -1, .stop = {}}}) {
    EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { WriteScored({&writing, 1}, options, never); }));
  }
  const ScoredWriting cold{.session = &session, .sampling = {.temperature = -1}};
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] {
    WriteScored({&cold, 1}, {.max_tokens = 1, .stop = {}}, never);
  }));
  EXPECT_EQ(session.memory().length(), 64);
  EXPECT_TRUE(WriteScored({}, {.stop = {}}, never).empty());
}

// The memory of either session may be full.
TEST_P(PlainScoredWritingTest, AFullMemoryEndsTheText) {
  const ScoredText whole = Greedy(60);
  const ScoredWritingOptions options{.max_tokens = 60, .stop = {}};
  Session full = NewSessionAt(0, 64, 64 + 4);
  const ScoredText text = Write({.session = &full}, options);
  EXPECT_EQ(text.finish, FinishReason::kMaxTokens);
  EXPECT_EQ(text.text, whole.text.substr(0, 5));
  EXPECT_EQ(full.memory().length(), 64 + 4);
  Session with = NewSessionAt(0, 64);
  Session full_without = NewSessionAt(0, 64, 64 + 4);
  const ScoredText contrasted = Write({.session = &with, .without = &full_without}, options);
  EXPECT_EQ(contrasted.finish, FinishReason::kMaxTokens);
  EXPECT_EQ(contrasted.text, text.text);
}

// Models may have more rows of logits than their vocabulary has tokens. The likeliest of the other
// rows says nothing about which tokens are plausible.
TEST_P(PlainScoredWritingTest, RowsThatPadTheVocabularyDoNotCount) {
  VocabularySpec spec = LetterVocabulary();
  spec.tokens = {"<unk>", "</s>", "a", "b", "c", "d"};
  spec.scores.assign(6, 0.0F);
  spec.token_types.assign(6, static_cast<int32_t>(TokenType::kNormal));
  spec.token_types[1] = static_cast<int32_t>(TokenType::kControl);
  spec.bos = spec.eos = 1;
  tokenizer_ = Tokenizer::Create(std::move(spec));
  // Counts prompts after which all tokens are far less likely than other rows.
  size_t far = 0;
  for (const size_t at : {64, 100, 130, 200, 250, 310}) {
    Session with = NewSessionAt(at, 40);
    Session without = NewSessionAt(at, 40);
    const auto logits = with.logits();
    const float usable = *std::ranges::max_element(logits.first(6));
    far += usable < *std::ranges::max_element(logits) + std::log(0.1F);
    Session plain = with.Fork();
    const ScoredWritingOptions options{.max_tokens = 20, .stop = {}};
    EXPECT_EQ(Write({.session = &with, .without = &without}, options).tokens,
              Write({.session = &plain}, options).tokens);
  }
  EXPECT_GT(far, 0U);
}

// Pages that the question chose stay open to the whole text, as when a session writes it.
TEST_P(PlainScoredWritingTest, AQuestionPreselectsForTheWholeText) {
  std::vector<TokenId> document;
  while (document.size() < 2048) {
    document.insert(document.end(), golden_.tokens.begin(), golden_.tokens.end());
  }
  Session session(*model_, *tokenizer_, Compute{SelectKernelSet(), threads_},
                  model_->NewMemory({.max_tokens = 4096, .attention_mass = 0.5}));
  session.Prefill(document, {});
  session.Prefill(std::span(golden_.tokens).first(30), {});
  const auto of_question = session.memory().sparse()->preselected;
  Session other = session.Fork();
  const ScoredText text = Write({.session = &other}, {.max_tokens = 100, .stop = {}});
  EXPECT_EQ(other.memory().sparse()->preselected, of_question);
  EXPECT_EQ(
      text.tokens,
      session.Generate({.sampling = {}, .max_tokens = 100, .stops = {}, .stop = {}}, {}).tokens);
}

}  // namespace
}  // namespace tome
