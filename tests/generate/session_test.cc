#include "tome/generate/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"

namespace tome {
namespace {

// A vocabulary of the golden models' size: 64 pieces of a letter each; id 63 ends a text.
std::unique_ptr<Tokenizer> LetterTokenizer() {
  VocabularySpec spec;
  spec.model = "llama";
  for (char c = 0; c < 63; ++c) spec.tokens.emplace_back(1, static_cast<char>('!' + c));
  spec.tokens.emplace_back("</s>");
  spec.scores.assign(64, 0.0F);
  spec.token_types.assign(63, static_cast<int32_t>(TokenType::kNormal));
  spec.token_types.push_back(static_cast<int32_t>(TokenType::kControl));
  spec.bos = 63;
  spec.eos = 63;
  spec.unknown = 0;
  spec.add_bos = false;
  spec.add_space_prefix = false;
  return Tokenizer::Create(std::move(spec));
}

class SessionTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string variant =
        testing::UnitTest::GetInstance()->current_test_info()->value_param() != nullptr ? GetParam()
                                                                                        : "llama";
    WriteGoldenModel(variant, folder_ / "model");
    model_ = LoadModel(std::make_shared<const Checkpoint>(Checkpoint::Open(folder_ / "model")),
                       {SelectKernelSet(), threads_});
    golden_ = ReadGolden(variant);
  }

  Session NewSession(int64_t max_tokens = 512) {
    return {*model_, *tokenizer_, Compute{SelectKernelSet(), threads_},
            model_->NewMemory({.kv = KvType::kF32, .max_tokens = max_tokens})};
  }

  // The golden's first tokens with a repeat behind them, so that there is something to look up.
  std::vector<TokenId> Prompt() const {
    std::vector<TokenId> prompt(golden_.tokens.begin(), golden_.tokens.begin() + 64);
    prompt.insert(prompt.end(), golden_.greedy.begin(), golden_.greedy.end());
    prompt.insert(prompt.end(), golden_.tokens.begin(), golden_.tokens.begin() + 64);
    return prompt;
  }

  TempFolder folder_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Tokenizer> tokenizer_ = LetterTokenizer();
  Golden golden_;
  ThreadPool threads_{2};
};

TEST_P(SessionTest, SpeculationLeavesGreedyOutputUnchanged) {
  const GenerateOptions plain{.sampling = {},
                              .max_tokens = 100,
                              .stops = {},
                              .speculation = Speculation::kNone,
                              .stop = {}};
  GenerateOptions lookup = plain;
  lookup.speculation = Speculation::kPromptLookup;
  Session one = NewSession();
  Session other = NewSession();
  one.Prefill(Prompt(), {});
  other.Prefill(Prompt(), {});
  const Generated expected = one.Generate(plain, {});
  const Generated generated = other.Generate(lookup, {});
  EXPECT_EQ(generated.tokens, expected.tokens);
  EXPECT_EQ(generated.text, expected.text);
  EXPECT_EQ(generated.finish, expected.finish);
  EXPECT_TRUE(std::ranges::equal(one.logits(), other.logits()));
  EXPECT_TRUE(std::ranges::equal(one.tokens(), other.tokens()));
  EXPECT_EQ(other.memory().length(), static_cast<int64_t>(other.tokens().size()));
  EXPECT_EQ(expected.drafted_tokens, 0);
  EXPECT_LE(generated.forward_passes, expected.forward_passes);
  EXPECT_EQ(generated.forward_passes + generated.accepted_tokens, expected.forward_passes);
}

TEST_P(SessionTest, GreedyIsTheReferencesContinuation) {
  Session session = NewSession(64 + 32);
  session.Prefill(std::span(golden_.tokens).first(64), {});
  const auto count = static_cast<int64_t>(golden_.greedy.size());
  const Generated generated =
      session.Generate({.sampling = {}, .max_tokens = count, .stops = {}, .stop = {}}, {});
  // Generation ends at the end of text; the reference went on.
  const auto end = std::find(golden_.greedy.begin(), golden_.greedy.end(), 63);
  EXPECT_EQ(generated.tokens, std::vector<TokenId>(golden_.greedy.begin(), end));
}

// What a store gives back is what reading gives: the logits behind it are the same, bit for bit,
// for every element type, and whatever number of threads read or goes on.
TEST_P(SessionTest, RestoredMemoriesGiveTheBitsOfReadingAgain) {
  std::mt19937 random(3);
  std::vector<TokenId> tokens(kSnapshotTokens + 300);
  for (TokenId& token : tokens) token = static_cast<TokenId>(random() % 63);
  ThreadPool alone(1);
  ThreadPool several(3);
  for (const KvType type : kKvTypes) {
    const auto session = [&](ThreadPool& threads) {
      return Session(*model_, *tokenizer_, Compute{SelectKernelSet(), threads},
                     model_->NewMemory({.kv = type, .max_tokens = 2048}));
    };
    const SnapshotOwner owner{.root = KeyOf(NameOf(type)), .model = GetParam(), .title = "t"};
    {
      SnapshotStore store(folder_ / "kept", int64_t{1} << 30);
      Session reader = session(alone);
      reader.UseStore(store, owner);
      reader.Prefill(tokens, {});
      EXPECT_EQ(reader.restored(), 0);
      EXPECT_EQ(store.report().kept_tokens, kSnapshotTokens + 300);
    }
    for (const int64_t shared : {kSnapshotTokens + 300, kSnapshotTokens + 117, int64_t{1000}}) {
      std::vector<TokenId> prompt(tokens.begin(), tokens.begin() + shared);
      for (TokenId token = 0; token < 20; ++token) prompt.push_back((token * 7 + 62) % 63);
      if (shared < static_cast<int64_t>(tokens.size()) &&
          prompt[static_cast<size_t>(shared)] == tokens[static_cast<size_t>(shared)]) {
        prompt[static_cast<size_t>(shared)] ^= 1;
      }
      SnapshotStore store(folder_ / "kept", int64_t{1} << 30);
      Session restored = session(several);
      restored.UseStore(store, owner);
      restored.Prefill(prompt, {});
      EXPECT_EQ(restored.restored(), shared);
      Session plain = session(alone);
      plain.Prefill(prompt, {});
      EXPECT_TRUE(std::ranges::equal(restored.logits(), plain.logits()))
          << NameOf(type) << ", " << shared << " shared";
      const GenerateOptions options{.sampling = {}, .max_tokens = 20, .stops = {}, .stop = {}};
      EXPECT_EQ(restored.Generate(options, {}).tokens, plain.Generate(options, {}).tokens);
    }
  }
}

TEST_F(SessionTest, AnInterruptedReadingIsKept) {
  std::vector<TokenId> tokens(3000);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<TokenId>(i * i % 63);
  const auto session = [&] {
    return Session(*model_, *tokenizer_, Compute{SelectKernelSet(), threads_},
                   model_->NewMemory({.kv = KvType::kF32, .max_tokens = 4096}));
  };
  const SnapshotOwner owner{.root = {.high = 1, .low = 1}, .model = "m", .title = "t"};
  std::stop_source stop;
  const ProgressFn stop_midway = [&](std::string_view, uint64_t done, uint64_t) {
    if (done >= 1500) stop.request_stop();
  };
  SnapshotStore store(folder_ / "kept", int64_t{1} << 30);
  Session first = session();
  first.UseStore(store, owner);
  EXPECT_TRUE(Fails(Code::kCancelled, [&] {
    first.Prefill(tokens, {.stop = stop.get_token(), .progress = stop_midway});
  }));
  SnapshotStore later(folder_ / "kept", int64_t{1} << 30);
  Session second = session();
  second.UseStore(later, owner);
  second.Prefill(tokens, {});
  EXPECT_EQ(second.restored(), 1536);
  Session plain = session();
  plain.Prefill(tokens, {});
  EXPECT_TRUE(std::ranges::equal(second.logits(), plain.logits()));
}

INSTANTIATE_TEST_SUITE_P(Variants, SessionTest, testing::ValuesIn(GoldenVariants()),
                         [](const auto& variant) {
                           std::string name = variant.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

class PlainSessionTest : public SessionTest {};
INSTANTIATE_TEST_SUITE_P(Llama, PlainSessionTest, testing::Values("llama"));

TEST_P(PlainSessionTest, RepeatsAreDraftedAndAccepted) {
  Session session = NewSession();
  session.Prefill(Prompt(), {});
  const Generated generated =
      session.Generate({.sampling = {}, .max_tokens = 200, .stops = {}, .stop = {}}, {});
  EXPECT_GT(generated.drafted_tokens, 0);
  EXPECT_GT(generated.accepted_tokens, 0);
}

TEST_P(PlainSessionTest, StopStringsSinksAndBudgetsEndTheText) {
  const auto generate = [&](GenerateOptions options, const TextSink& sink = {}) {
    Session session = NewSession();
    session.Prefill(Prompt(), {});
    return session.Generate(options, sink);
  };
  const Generated whole = generate({.sampling = {}, .max_tokens = 60, .stops = {}, .stop = {}});
  ASSERT_GT(whole.text.size(), 12U);
  EXPECT_EQ(whole.text.size(), whole.tokens.size());
  const std::string stop = whole.text.substr(8, 3);
  const Generated stopped =
      generate({.sampling = {}, .max_tokens = 60, .stops = {stop}, .stop = {}});
  EXPECT_EQ(stopped.finish, FinishReason::kStop);
  EXPECT_EQ(stopped.text, whole.text.substr(0, whole.text.find(stop)));
  std::string seen;
  const Generated refused = generate({.sampling = {}, .max_tokens = 60, .stops = {}, .stop = {}},
                                     [&](std::string_view text) {
                                       seen += text;
                                       return seen.size() < 5;
                                     });
  EXPECT_EQ(refused.finish, FinishReason::kStop);
  EXPECT_EQ(seen, whole.text.substr(0, 5));
  const Generated few = generate({.sampling = {}, .max_tokens = 3, .stops = {}, .stop = {}});
  EXPECT_EQ(few.finish, FinishReason::kMaxTokens);
  EXPECT_EQ(few.text, whole.text.substr(0, 3));
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(
      generate({.sampling = {}, .max_tokens = 60, .stops = {}, .stop = source.get_token()}).finish,
      FinishReason::kCancelled);
}

TEST_P(PlainSessionTest, AFullMemoryEndsTheText) {
  Session session = NewSession(static_cast<int64_t>(Prompt().size()) + 4);
  session.Prefill(Prompt(), {});
  const Generated generated =
      session.Generate({.sampling = {}, .max_tokens = 60, .stops = {}, .stop = {}}, {});
  EXPECT_EQ(generated.finish, FinishReason::kMaxTokens);
  EXPECT_LE(session.memory().length(), session.memory().max_tokens());
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { session.Prefill(Prompt(), {}); }));
}

TEST_P(PlainSessionTest, WhatWasReadIsKeptWhenReadingIsCancelled) {
  std::vector<TokenId> tokens(2000);
  std::iota(tokens.begin(), tokens.end(), 0);
  for (TokenId& token : tokens) token %= 60;
  Session cancelled = NewSession(4000);
  std::stop_source source;
  const WorkControl control{.stop = source.get_token(),
                            .progress = [&](std::string_view, uint64_t done, uint64_t) {
                              if (done >= 1000) source.request_stop();
                            }};
  EXPECT_TRUE(Fails(Code::kCancelled, [&] { cancelled.Prefill(tokens, control); }));
  const auto read = static_cast<size_t>(cancelled.memory().length());
  EXPECT_EQ(read, 1024U);
  EXPECT_EQ(cancelled.tokens().size(), read);
  cancelled.Prefill(std::span(tokens).subspan(read), {});
  Session whole = NewSession(4000);
  whole.Prefill(tokens, {});
  EXPECT_TRUE(std::ranges::equal(cancelled.logits(), whole.logits()));
}

TEST_P(PlainSessionTest, TruncatedReadsOnAsAFreshOne) {
  Session session = NewSession();
  session.Prefill(std::span(golden_.tokens).first(200), {});
  session.Truncate(100);
  session.Prefill(std::span(golden_.tokens).subspan(300, 50), {});
  std::vector<TokenId> tokens(golden_.tokens.begin(), golden_.tokens.begin() + 100);
  tokens.insert(tokens.end(), golden_.tokens.begin() + 300, golden_.tokens.begin() + 350);
  Session fresh = NewSession();
  fresh.Prefill(tokens, {});
  EXPECT_TRUE(std::ranges::equal(session.logits(), fresh.logits()));
}

TEST_P(PlainSessionTest, OneTokenAtATimeIsTheSameAsChunks) {
  std::vector<TokenId> tokens = golden_.tokens;
  tokens.insert(tokens.end(), golden_.tokens.begin(), golden_.tokens.begin() + 100);
  ASSERT_GT(static_cast<int64_t>(tokens.size()), kPrefillChunk);
  Session chunks = NewSession(700);
  Session single = NewSession(700);
  chunks.Prefill(tokens, {});
  for (const TokenId token : tokens) single.Prefill({&token, 1}, {});
  EXPECT_TRUE(std::ranges::equal(chunks.logits(), single.logits()));
  EXPECT_TRUE(std::ranges::equal(chunks.tokens(), tokens));
}

TEST_P(PlainSessionTest, AGenerationThatWasEndedEarlyGoesOnAsIfItHadNot) {
  const auto options = [](int64_t count, std::stop_token stop = {}) {
    return GenerateOptions{
        .sampling = {}, .max_tokens = count, .stops = {}, .stop = std::move(stop)};
  };
  Session whole = NewSession();
  whole.Prefill(Prompt(), {});
  const Generated expected = whole.Generate(options(60), {});
  Session session = NewSession();
  session.Prefill(Prompt(), {});
  std::stop_source source;
  std::string seen;
  const Generated cancelled =
      session.Generate(options(60, source.get_token()), [&](std::string_view text) {
        seen += text;
        if (seen.size() >= 10) source.request_stop();
        return true;
      });
  EXPECT_EQ(cancelled.finish, FinishReason::kCancelled);
  EXPECT_EQ(cancelled.text, seen);
  EXPECT_GE(cancelled.tokens.size(), 10U);
  EXPECT_LT(cancelled.tokens.size(), expected.tokens.size());
  EXPECT_EQ(session.memory().length(), static_cast<int64_t>(session.tokens().size()));
  // What is in memory is the prompt and what was generated but for the last token; from there the
  // generation goes on as before.
  const size_t kept = session.tokens().size() - Prompt().size();
  EXPECT_EQ(kept + 1, cancelled.tokens.size());
  const Generated rest = session.Generate(options(60 - static_cast<int64_t>(kept)), {});
  std::vector<TokenId> tokens(cancelled.tokens.begin(),
                              cancelled.tokens.begin() + static_cast<int64_t>(kept));
  tokens.insert(tokens.end(), rest.tokens.begin(), rest.tokens.end());
  EXPECT_EQ(tokens, expected.tokens);
}

}  // namespace
}  // namespace tome
