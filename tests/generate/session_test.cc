#include "tome/generate/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <random>

#include "tests/expect_error.h"
#include "tests/generate/golden_session.h"
#include "tome/memory/state_positions.h"

namespace tome {
namespace {

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
  // Generation ends at the end of text; the reference went on after it.
  const auto end = std::find(golden_.greedy.begin(), golden_.greedy.end(), 63);
  EXPECT_EQ(generated.tokens, std::vector<TokenId>(golden_.greedy.begin(), end));
}

// The logits after a restored memory equal those after reading, bit for bit, for every element type
// and whatever number of threads reads or continues.
TEST_P(SessionTest, RestoredMemoriesGiveTheBitsOfReadingAgain) {
  std::mt19937 random(3);
  std::vector<TokenId> tokens(kSnapshotTokens + 300);
  for (TokenId& token : tokens) token = static_cast<TokenId>(random() % 63);
  ThreadPool alone(1);
  ThreadPool several(3);
  // The state is kept before the last token, or at the end of a segment.
  const bool recurrent = model_->facts().has_recurrent();
  const int64_t state = StatePositionBefore(std::ssize(tokens) - 1, model_->facts().segment_tokens);
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
      EXPECT_EQ(store.report().kept_tokens, recurrent ? state : kSnapshotTokens + 300);
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
      // A memory with two types is restored in whole parts, and in its tail anywhere.
      const bool whole = type == KvType::kQ8 || type == KvType::kQ4;
      const int64_t pages = whole && shared < kSnapshotTokens ? 0 : shared;
      EXPECT_EQ(restored.restored(), !recurrent ? pages : shared >= state ? state : 0);
      Session plain = session(alone);
      plain.Prefill(prompt, {});
      EXPECT_TRUE(std::ranges::equal(restored.logits(), plain.logits()))
          << NameOf(type) << ", " << shared << " shared";
      const GenerateOptions options{.sampling = {}, .max_tokens = 20, .stops = {}, .stop = {}};
      EXPECT_EQ(restored.Generate(options, {}).tokens, plain.Generate(options, {}).tokens);
    }
  }
}

// Spilled memories, in a file of their own or in the store's, give the same bits too.
TEST_P(SessionTest, SpilledMemoriesGiveTheBitsOfResidentOnes) {
  if (!model_->facts().has_attention()) return;  // no memory grows, so none is moved
  std::mt19937 random(4);
  std::vector<TokenId> tokens(4 * kKvPartTokens + 300);
  for (TokenId& token : tokens) token = static_cast<TokenId>(random() % 63);
  const GenerateOptions options{.sampling = {}, .max_tokens = 20, .stops = {}, .stop = {}};
  for (const KvType type : kKvTypes) {
    MemoryOptions memory{.kv = type, .max_tokens = 8192};
    const auto session = [&] {
      return Session(*model_, *tokenizer_, Compute{SelectKernelSet(), threads_},
                     model_->NewMemory(memory));
    };
    Session resident = session();
    resident.Prefill(tokens, {});
    const std::vector<float> expected(resident.logits().begin(), resident.logits().end());
    const std::vector<TokenId> answer = resident.Generate(options, {}).tokens;
    memory.resident_bytes = 0;
    memory.spill_folder = folder_ / "spill";
    for (const bool kept : {false, true}) {
      SnapshotStore store(folder_ / "kept", int64_t{1} << 30);
      Session spilled = session();
      if (kept) {
        spilled.UseStore(store, {.root = KeyOf(NameOf(type)), .model = "m", .title = "t"});
      }
      spilled.Prefill(tokens, {});
      EXPECT_LT(spilled.memory().kv().resident_bytes(), resident.memory().bytes() * 7 / 8);
      EXPECT_FALSE(spilled.memory().kv().IsResident(0));
      EXPECT_TRUE(std::ranges::equal(spilled.logits(), expected)) << NameOf(type);
      EXPECT_EQ(spilled.Generate(options, {}).tokens, answer);
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

INSTANTIATE_TEST_SUITE_P(Variants, SessionTest, testing::ValuesIn(GoldenVariants()), VariantName);

class RecurrentSessionTest : public SessionTest {};
INSTANTIATE_TEST_SUITE_P(Variants, RecurrentSessionTest,
                         testing::Values("mamba", "mamba2", "jamba"), VariantName);

TEST_P(RecurrentSessionTest, NothingIsDrafted) {
  std::vector<TokenId> tokens;
  while (tokens.size() < 300) tokens.push_back(static_cast<TokenId>(tokens.size() % 5));
  Session session = NewSession(2048);
  session.Prefill(tokens, {});
  const Generated generated = session.Generate({.sampling = {}, .stops = {}, .stop = {}}, {});
  EXPECT_EQ(generated.drafted_tokens, 0);
  EXPECT_EQ(session.memory().length(), static_cast<int64_t>(session.tokens().size()));
}

TEST_P(RecurrentSessionTest, InterruptedBeforeTheFirstTokenNothingIsKept) {
  SnapshotStore store(folder_ / "kept", int64_t{1} << 30);
  Session session = NewSession(2048);
  session.UseStore(store, {.root = KeyOf("r"), .model = "m", .title = "t"});
  std::stop_source stop;
  stop.request_stop();
  const std::vector<TokenId> tokens(1500, 1);
  EXPECT_TRUE(Fails(Code::kCancelled,
                    [&] { session.Prefill(tokens, {.stop = stop.get_token(), .progress = {}}); }));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "kept"));
}

TEST_P(RecurrentSessionTest, TruncatedReadsOnFromACheckpointAsAFreshOne) {
  std::vector<TokenId> tokens(1300);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<TokenId>(i * i % 61);
  Session session = NewSession(2048);
  session.Prefill(tokens, {});
  session.Generate({.sampling = {}, .max_tokens = 5, .stops = {}, .stop = {}}, {});
  for (const auto& [length, left] : {std::pair<int64_t, int64_t>{1302, 1300},
                                     {1300, 1300},
                                     {1299, 2 * kPrefillChunk},
                                     {600, kPrefillChunk},
                                     {500, 0}}) {
    const auto held = session.tokens();
    std::vector<TokenId> wanted(held.begin(), held.begin() + std::min(length, std::ssize(held)));
    wanted.resize(static_cast<size_t>(length), 7);
    wanted.push_back(13);
    ASSERT_EQ(session.Truncate(length), left);
    ASSERT_EQ(std::ssize(session.tokens()), left);
    session.Prefill(std::span(wanted).subspan(static_cast<size_t>(left)), {});
    Session fresh = NewSession(2048);
    fresh.Prefill(wanted, {});
    EXPECT_TRUE(std::ranges::equal(session.logits(), fresh.logits())) << length;
  }
}

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

// The text runs far beyond the trained length, with some drafts taken back. It is the same whatever
// is drafted.
TEST_P(PlainSessionTest, StreamingGoesOnAtConstantMemory) {
  const auto generate = [&](Speculation speculation) {
    Session session(*model_, *tokenizer_, Compute{SelectKernelSet(), threads_},
                    model_->NewMemory({.window = 64, .sinks = 64}));
    SnapshotStore store(folder_ / "kept", int64_t{1} << 30);
    session.UseStore(store, {.root = KeyOf("r"), .model = "m", .title = "t"});
    session.Prefill(Prompt(), {});
    std::vector<TokenId> tokens;
    // The model may end its turn; it is then made to continue.
    while (tokens.size() < 1500) {
      const Generated generated = session.Generate(
          {.sampling = {}, .max_tokens = 500, .stops = {}, .speculation = speculation, .stop = {}},
          {});
      tokens.insert(tokens.end(), generated.tokens.begin(), generated.tokens.end());
      const std::vector<TokenId> more(golden_.tokens.begin(), golden_.tokens.begin() + 40);
      session.Prefill(more, {});
      tokens.insert(tokens.end(), more.begin(), more.end());
    }
    EXPECT_GT(session.memory().forgotten(), 1000);
    EXPECT_LE(session.memory().bytes(),
              KvBytes(model_->facts().kv, model_->facts().kv_type, 64 + 64 + 64 + 512));
    EXPECT_EQ(store.report().kept_tokens, 0);
    // Going back farther than the memory reaches means beginning anew.
    EXPECT_EQ(session.Truncate(700), 0);
    EXPECT_TRUE(session.tokens().empty());
    return tokens;
  };
  EXPECT_EQ(generate(Speculation::kPromptLookup), generate(Speculation::kNone));
}

// With sparse attention the text is the same whatever is drafted, and pages that the question chose
// stay open to the whole answer.
TEST_P(PlainSessionTest, AQuestionPreselectsForItsAnswer) {
  std::vector<TokenId> document;
  while (document.size() < 2048) {
    document.insert(document.end(), golden_.tokens.begin(), golden_.tokens.end());
  }
  document.resize(2048);
  std::vector<TokenId> answer;
  for (const Speculation speculation : {Speculation::kNone, Speculation::kPromptLookup}) {
    Session session(*model_, *tokenizer_, Compute{SelectKernelSet(), threads_},
                    model_->NewMemory({.max_tokens = 4096, .attention_mass = 0.5}));
    session.Prefill(document, {});
    const auto of_document = session.memory().sparse()->preselected;
    session.Prefill(std::span(golden_.tokens).first(30), {});
    const auto of_question = session.memory().sparse()->preselected;
    ASSERT_FALSE(of_question.empty());
    EXPECT_EQ(of_question.size(), static_cast<size_t>(model_->facts().layers));
    EXPECT_EQ(of_document.size(), of_question.size());
    const Generated generated = session.Generate(
        {.sampling = {}, .max_tokens = 200, .stops = {}, .speculation = speculation, .stop = {}},
        {});
    EXPECT_EQ(session.memory().sparse()->preselected, of_question);
    if (speculation == Speculation::kNone) answer = generated.tokens;
    EXPECT_EQ(generated.tokens, answer);
    EXPECT_EQ(session.Fork().memory().sparse()->preselected, of_question);
  }
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

// Regression test: the text was "…and then \uFFFD" where the budget ended in the middle of a
// character.
TEST_P(PlainSessionTest, ACharacterThatTheBudgetCutsIsLeftOut) {
  const auto generate = [&](const Tokenizer& tokenizer, int64_t max_tokens, int64_t memory_tokens) {
    Session session(*model_, tokenizer, Compute{SelectKernelSet(), threads_},
                    model_->NewMemory({.kv = KvType::kF32, .max_tokens = memory_tokens}));
    session.Prefill(Prompt(), {});
    std::string seen;
    const Generated generated = session.Generate(
        {.sampling = {}, .max_tokens = max_tokens, .stops = {}, .stop = {}}, [&](auto text) {
          seen += text;
          return true;
        });
    EXPECT_EQ(generated.text, seen);
    return generated;
  };
  const Generated letters = generate(*tokenizer_, 3, 512);
  ASSERT_EQ(letters.tokens.size(), 3U);
  // The piece of the third token becomes the first byte of a character of three, wherever it
  // occurs.
  VocabularySpec spec = LetterVocabulary();
  const auto third = static_cast<size_t>(letters.tokens[2]);
  spec.tokens[third] = "<0xE4>";
  spec.token_types[third] = static_cast<int32_t>(TokenType::kByte);
  const auto bytes = Tokenizer::Create(std::move(spec));
  const std::string whole =
      bytes->Decode(std::vector(letters.tokens.begin(), letters.tokens.begin() + 2));
  ASSERT_NE(letters.tokens[0], letters.tokens[2]);
  ASSERT_NE(letters.tokens[1], letters.tokens[2]);
  const Generated few = generate(*bytes, 3, 512);
  EXPECT_EQ(few.finish, FinishReason::kMaxTokens);
  EXPECT_EQ(few.tokens, letters.tokens);
  EXPECT_EQ(few.text, whole);
  // The last token is not in memory.
  const Generated full = generate(*bytes, 60, static_cast<int64_t>(Prompt().size()) + 2);
  EXPECT_EQ(full.finish, FinishReason::kContext);
  EXPECT_EQ(full.text, whole);
}

TEST_P(PlainSessionTest, AFullMemoryEndsTheText) {
  Session session = NewSession(static_cast<int64_t>(Prompt().size()) + 4);
  session.Prefill(Prompt(), {});
  const Generated generated =
      session.Generate({.sampling = {}, .max_tokens = 60, .stops = {}, .stop = {}}, {});
  EXPECT_EQ(generated.finish, FinishReason::kContext);
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
  EXPECT_EQ(session.Truncate(100), 100);
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
  // The memory holds the prompt and the generated tokens except the last one. Generation continues
  // from there as before.
  const size_t kept = session.tokens().size() - Prompt().size();
  EXPECT_EQ(kept + 1, cancelled.tokens.size());
  const Generated rest = session.Generate(options(60 - static_cast<int64_t>(kept)), {});
  std::vector<TokenId> tokens(cancelled.tokens.begin(),
                              cancelled.tokens.begin() + static_cast<int64_t>(kept));
  tokens.insert(tokens.end(), rest.tokens.begin(), rest.tokens.end());
  EXPECT_EQ(tokens, expected.tokens);
}

// Compares sessions that generate together with each one generating alone.
class TogetherTest : public SessionTest {
 protected:
  // Returns writings for forks of one session and for a session of its own, with different options.
  std::vector<SessionWriting> Writings(std::vector<Session>& sessions, double temperature) {
    Session base = NewSession();
    base.Prefill(Prompt(), {});
    for (size_t i = 0; i < 6; ++i) {
      sessions.push_back(i == 5 ? NewSession() : base.Fork());
      // The first session has its logits from the session that it is a fork of.
      if (i > 0) sessions.back().Prefill(std::span(golden_.tokens).subspan(100 + 7 * i, i * 3), {});
    }
    std::vector<SessionWriting> writings;
    for (size_t i = 0; i < sessions.size(); ++i) {
      GenerateOptions options{.sampling = {.temperature = temperature, .seed = i / 2},
                              .max_tokens = 20 + 15 * static_cast<int64_t>(i),
                              .stops = {},
                              .stop = {}};
      if (i == 4) options.speculation = Speculation::kNone;
      writings.push_back({.session = &sessions[i], .options = options, .sink = {}});
    }
    return writings;
  }

  void ExpectTheSameAsAlone(double temperature) {
    std::vector<Session> ones;
    std::vector<Session> all;
    const std::vector<SessionWriting> alone = Writings(ones, temperature);
    std::vector<SessionWriting> together = Writings(all, temperature);
    std::vector<std::string> seen(together.size());
    for (size_t i = 0; i < together.size(); ++i) {
      together[i].sink = [&text = seen[i]](std::string_view part) {
        text += part;
        return true;
      };
    }
    const std::vector<Generated> generated = GenerateTogether(together);
    ASSERT_EQ(generated.size(), alone.size());
    for (size_t i = 0; i < alone.size(); ++i) {
      SCOPED_TRACE(i);
      const Generated expected = ones[i].Generate(alone[i].options, {});
      EXPECT_EQ(generated[i].tokens, expected.tokens);
      EXPECT_EQ(generated[i].text, expected.text);
      EXPECT_EQ(seen[i], expected.text);
      EXPECT_EQ(generated[i].finish, expected.finish);
      EXPECT_TRUE(std::ranges::equal(all[i].tokens(), ones[i].tokens()));
      EXPECT_TRUE(std::ranges::equal(all[i].logits(), ones[i].logits()));
      EXPECT_EQ(all[i].memory().length(), static_cast<int64_t>(all[i].tokens().size()));
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Variants, TogetherTest, testing::ValuesIn(GoldenVariants()), VariantName);

TEST_P(TogetherTest, GreedyIsTheSameAsAlone) { ExpectTheSameAsAlone(0); }

TEST_P(TogetherTest, SampledIsTheSameAsAlone) { ExpectTheSameAsAlone(0.9); }

class PlainTogetherTest : public TogetherTest {};
INSTANTIATE_TEST_SUITE_P(Llama, PlainTogetherTest, testing::Values("llama"));

TEST_P(PlainTogetherTest, ReadingTogetherIsTheSameAsAlone) {
  std::vector<TokenId> tokens(1500);
  std::iota(tokens.begin(), tokens.end(), 0);
  for (TokenId& token : tokens) token %= 61;
  std::vector<Session> alone;
  std::vector<Session> together;
  std::vector<SessionReading> readings;
  for (size_t i = 0; i < 5; ++i) {
    alone.push_back(NewSession(2000));
    together.push_back(NewSession(2000));
  }
  for (size_t i = 0; i < 5; ++i) {
    // Some readings fit a pass with others, some take several passes, and one reads nothing.
    const size_t count = std::array<size_t, 5>{3, 1200, 1, 0, 500}[i];
    readings.push_back(
        {.session = &together[i], .tokens = std::span(tokens).subspan(i * 7, count)});
  }
  uint64_t read = 0;
  PrefillTogether(readings,
                  {.stop = {}, .progress = [&](std::string_view, uint64_t done, uint64_t total) {
                     read = done;
                     EXPECT_EQ(total, 1704U);
                   }});
  EXPECT_EQ(read, 1704U);
  for (size_t i = 0; i < 5; ++i) {
    SCOPED_TRACE(i);
    EXPECT_TRUE(std::ranges::equal(together[i].tokens(), readings[i].tokens));
    EXPECT_EQ(together[i].memory().length(), static_cast<int64_t>(readings[i].tokens.size()));
    if (readings[i].tokens.empty()) continue;
    alone[i].Prefill(readings[i].tokens, {});
    EXPECT_TRUE(std::ranges::equal(together[i].logits(), alone[i].logits()));
  }
}

TEST_P(PlainTogetherTest, AForkLeavesItsOriginAlone) {
  Session origin = NewSession();
  origin.Prefill(Prompt(), {});
  const std::vector<float> logits(origin.logits().begin(), origin.logits().end());
  Session fork = origin.Fork();
  EXPECT_TRUE(std::ranges::equal(fork.logits(), logits));
  fork.Prefill(std::span(golden_.tokens).first(90), {});
  EXPECT_EQ(fork.Truncate(10), 10);
  EXPECT_TRUE(std::ranges::equal(origin.tokens(), Prompt()));
  EXPECT_TRUE(std::ranges::equal(origin.logits(), logits));
  Session fresh = NewSession();
  fresh.Prefill(Prompt(), {});
  const GenerateOptions options{.sampling = {}, .max_tokens = 40, .stops = {}, .stop = {}};
  EXPECT_EQ(origin.Generate(options, {}).tokens, fresh.Generate(options, {}).tokens);
}

TEST_P(PlainTogetherTest, AStopEndsAllAndEachKeepsWhatItGenerated) {
  std::vector<Session> ones;
  std::vector<Session> all;
  const std::vector<SessionWriting> alone = Writings(ones, 0);
  std::vector<SessionWriting> together = Writings(all, 0);
  std::stop_source source;
  std::string seen;
  for (SessionWriting& writing : together) writing.options.stop = source.get_token();
  together.back().sink = [&](std::string_view text) {
    seen += text;
    if (seen.size() >= 5) source.request_stop();
    return true;
  };
  const std::vector<Generated> generated = GenerateTogether(together);
  for (size_t i = 0; i < alone.size(); ++i) {
    SCOPED_TRACE(i);
    const Generated expected = ones[i].Generate(alone[i].options, {});
    EXPECT_LE(generated[i].tokens.size(), expected.tokens.size());
    EXPECT_TRUE(std::equal(generated[i].tokens.begin(), generated[i].tokens.end(),
                           expected.tokens.begin()));
    if (generated[i].tokens.size() < expected.tokens.size()) {
      EXPECT_EQ(generated[i].finish, FinishReason::kCancelled);
    }
    EXPECT_EQ(all[i].memory().length(), static_cast<int64_t>(all[i].tokens().size()));
  }
  EXPECT_EQ(generated.back().finish, FinishReason::kCancelled);
}

TEST_P(PlainTogetherTest, OneWithoutMeaningIsRefusedBeforeAnyIsContinued) {
  std::vector<Session> sessions;
  std::vector<SessionWriting> writings = Writings(sessions, 0);
  const int64_t length = sessions.front().memory().length();
  writings.front().sink = [](std::string_view) {
    ADD_FAILURE() << "text before all was checked";
    return true;
  };
  writings.back().options.max_tokens = 0;
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { GenerateTogether(writings); }));
  EXPECT_EQ(sessions.front().memory().length(), length);
}

}  // namespace
}  // namespace tome
