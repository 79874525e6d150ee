// Tests texts longer than the model's trained length, with Dual Chunk Attention, YaRN and
// streaming. The expected numbers come from a decoder in double precision
// (tests/golden/models/make_long_golden.py); for `qwen2-dca` they are in golden_logits_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <span>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"

namespace tome {
namespace {

using Tokens = std::vector<TokenId>;

class LongTextTest : public testing::Test {
 protected:
  std::unique_ptr<Model> Load(const std::string& variant) {
    const auto folder = folder_.path() / variant;
    WriteGoldenModel(variant, folder);
    return LoadModelIn(folder, compute_);
  }

  Tokens RandomTokens(const Model& model, size_t count) {
    Tokens tokens;
    for (size_t i = 0; i < count; ++i) {
      tokens.push_back(
          static_cast<TokenId>(random_() % static_cast<uint64_t>(model.facts().vocabulary)));
    }
    return tokens;
  }

  std::vector<float> Read(const Model& model, Memory& memory, std::span<const TokenId> tokens,
                          int64_t chunk) {
    return LogitsInPasses(model, memory, tokens, chunk, compute_);
  }
  std::vector<float> Read(const Model& model, const MemoryOptions& options,
                          std::span<const TokenId> tokens, int64_t chunk) {
    Memory memory = model.NewMemory(options);
    return Read(model, memory, tokens, chunk);
  }

  TempFolder folder_;
  std::mt19937 random_{1};
  ThreadPool threads_{2};
  Compute compute_{SelectKernelSet(), threads_};
};

TEST_F(LongTextTest, DualChunkAttentionOfOneChunkIsPlainAttention) {
  const auto model = Load("qwen2-dca");
  EXPECT_EQ(model->facts().native_tokens, 160);
  EXPECT_EQ(model->facts().lengthened_by, "dca");
  const Tokens tokens = RandomTokens(*model, 200);
  const std::span<const TokenId> chunk(tokens.data(), 128);
  for (const KvType type : kKvTypes) {
    const MemoryOptions dca{.kv = type};
    const MemoryOptions plain{.kv = type, .longer = ContextExtension::kNone};
    EXPECT_EQ(Read(*model, dca, chunk, 50), Read(*model, plain, chunk, 128)) << NameOf(type);
    EXPECT_NE(Read(*model, dca, tokens, 50), Read(*model, plain, tokens, 50)) << NameOf(type);
  }
}

TEST_F(LongTextTest, CuttingATextInPassesChangesNoBit) {
  const auto dca = Load("qwen2-dca");
  const auto llama = Load("llama");
  const auto windows = Load("gemma2");
  const Tokens tokens = RandomTokens(*dca, 700);
  struct Case {
    const Model& model;
    MemoryOptions options;
  };
  for (const KvType type : kKvTypes) {
    for (const Case& each :
         {Case{*dca, {.kv = type}}, Case{*llama, {.kv = type, .window = 100, .sinks = 10}},
          Case{*llama, {.kv = type, .window = 64}},
          Case{*windows, {.kv = type, .window = 128, .sinks = 64}}}) {
      const std::vector<float> whole = Read(each.model, each.options, tokens, std::ssize(tokens));
      EXPECT_TRUE(std::ranges::all_of(whole, [](float x) { return std::isfinite(x); }));
      for (const int64_t chunk : {1, 37, 64, 512}) {
        EXPECT_EQ(Read(each.model, each.options, tokens, chunk), whole)
            << each.model.facts().architecture << ' ' << NameOf(type) << ' ' << chunk;
      }
      ThreadPool one(1);
      Memory memory = each.model.NewMemory(each.options);
      const BatchItem item{.memory = &memory, .tokens = tokens, .logits = LogitsOf::kAll};
      const Tensor rows = each.model.Forward({&item, 1}, {SelectKernelSet(), one});
      EXPECT_TRUE(std::ranges::equal(rows.floats(), whole)) << NameOf(type);
    }
  }
}

// One batch has memories of different kinds, and forks.
TEST_F(LongTextTest, ABatchEqualsItsSequencesAlone) {
  const auto model = Load("qwen2-dca");
  const std::vector<MemoryOptions> kinds{{},
                                         {.longer = ContextExtension::kNone},
                                         {.max_tokens = 4096, .longer = ContextExtension::kYarn},
                                         {.window = 64}};
  const Tokens before = RandomTokens(*model, 390);
  const Tokens news = RandomTokens(*model, 90);
  std::vector<Memory> memories;
  std::vector<float> expected;
  for (const MemoryOptions& options : kinds) {
    Memory memory = model->NewMemory(options);
    Read(*model, memory, before, 100);
    memories.push_back(memory.Fork());
    memories.push_back(memory.Fork());
    const std::vector<float> alone = Read(*model, memory, news, 7);
    for (int fork = 0; fork < 2; ++fork) {
      expected.insert(expected.end(), alone.begin(), alone.end());
    }
  }
  std::vector<BatchItem> items;
  for (Memory& memory : memories) {
    items.push_back({.memory = &memory, .tokens = news, .logits = LogitsOf::kAll});
  }
  const Tensor rows = model->Forward(items, compute_);
  EXPECT_TRUE(std::ranges::equal(rows.floats(), expected));
}

TEST_F(LongTextTest, DualChunkAttentionByChoiceBeginsBeyondTheTrainedLength) {
  const auto model = Load("llama");  // made for 1024 tokens
  const auto scheme = [&](int64_t max_tokens) {
    return model->NewMemory({.max_tokens = max_tokens, .longer = ContextExtension::kDca})
        .positions();
  };
  EXPECT_TRUE(scheme(1024).is_plain());
  EXPECT_EQ(scheme(1025).chunks, (ChunkedPositions{.chunk = 960, .limit = 1023, .trained = 1024}));
  EXPECT_TRUE(model->NewMemory({.max_tokens = 5000}).positions().is_plain());
  const Tokens tokens = RandomTokens(*model, 2200);
  const MemoryOptions options{.max_tokens = 4000, .longer = ContextExtension::kDca};
  const std::vector<float> logits = Read(*model, options, tokens, 512);
  EXPECT_TRUE(std::ranges::all_of(logits, [](float x) { return std::isfinite(x); }));
  EXPECT_EQ(Read(*model, options, tokens, 333), logits);
  // In the first chunk, Dual Chunk Attention is the model's own attention.
  const std::span<const TokenId> first(tokens.data(), 960);
  const std::vector<float> plain = Read(*model, MemoryOptions{}, first, 512);
  EXPECT_TRUE(std::equal(plain.begin(), plain.end(), logits.begin()));
}

TEST_F(LongTextTest, YarnByChoiceIsThatOfAConfiguration) {
  const auto chosen = Load("llama");
  const auto configured = Load("llama-yarn");  // the same weights, 1024 tokens times 8
  EXPECT_EQ(configured->facts().native_tokens, 1024);
  EXPECT_EQ(configured->facts().lengthened_by, "yarn");
  const Tokens tokens = RandomTokens(*chosen, 300);
  const MemoryOptions longer{.max_tokens = 5000, .longer = ContextExtension::kYarn};
  EXPECT_EQ(Read(*chosen, longer, tokens, 512), Read(*configured, MemoryOptions{}, tokens, 512));
  EXPECT_TRUE(chosen->NewMemory({.max_tokens = 1000, .longer = ContextExtension::kYarn})
                  .positions()
                  .is_plain());
  const auto scaled = Load("llama-llama3");
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] {
    scaled->NewMemory({.max_tokens = 5000, .longer = ContextExtension::kYarn});
  }));
}

TEST_F(LongTextTest, StreamingAgreesWithDoublePrecision) {
  const auto model = Load("llama");
  const auto file = Checkpoint::Open(GoldenFolder() / "llama" / "streaming.safetensors");
  const auto tokens = ReadValues<TokenId>(*file.Find("tokens"));
  const auto expected = ReadValues<float>(*file.Find("logits"));
  for (const int64_t chunk : {512, 100, 1}) {
    const std::vector<float> logits =
        Read(*model, {.kv = KvType::kF32, .window = 128, .sinks = 64}, tokens, chunk);
    ASSERT_EQ(logits.size(), expected.size());
    EXPECT_LT(WorstDeviation(logits, expected, 64), 1e-4) << chunk;
  }
}

TEST_F(LongTextTest, StreamingTakesConstantMemory) {
  const auto model = Load("llama");
  constexpr size_t kTokens = 10'000;  // ten times the trained length
  const Tokens tokens = RandomTokens(*model, kTokens);
  Memory memory = model->NewMemory({.window = 128, .sinks = 64});
  std::vector<float> last;
  int64_t most = 0;
  for (size_t begin = 0; begin < kTokens; begin += 100) {
    const BatchItem item{.memory = &memory,
                         .tokens = std::span(tokens).subspan(begin, 100),
                         .logits = LogitsOf::kLast};
    const Tensor row = model->Forward({&item, 1}, compute_);
    last.assign(row.floats().begin(), row.floats().end());
    ASSERT_TRUE(std::ranges::all_of(last, [](float x) { return std::isfinite(x); })) << begin;
    if (begin >= 1000) {
      most = std::max(most, memory.bytes());
    }
  }
  EXPECT_EQ(memory.length(), static_cast<int64_t>(kTokens));
  // The memory holds the sinks, the window, the pages of a pass and the page that the pass began
  // in.
  EXPECT_LE(most, KvBytes(model->facts().kv, model->facts().kv_type, 64 + 128 + 64 + 100 + 63));
  EXPECT_GE(memory.forgotten(), static_cast<int64_t>(kTokens) - 64 - 128 - 100 - 64);
  // Other passes give the same logits.
  Memory other = model->NewMemory({.window = 128, .sinks = 64});
  const std::vector<float> all = Read(*model, other, tokens, 511);
  EXPECT_TRUE(std::equal(last.begin(), last.end(), all.end() - 64));
}

TEST_F(LongTextTest, AStreamingMemoryGoesBackAsFarAsItRemembers) {
  const auto model = Load("llama");
  const Tokens tokens = RandomTokens(*model, 1000);
  const Tokens other = RandomTokens(*model, 80);
  const MemoryOptions options{.window = 128, .sinks = 64};
  Memory memory = model->NewMemory(options);
  Read(*model, memory, tokens, 50);
  const Memory fork = memory.Fork();
  // The last pass began at 950. From there on, new tokens see only positions that are still held.
  for (const int64_t length : {1000, 951, 950}) {
    Memory back = fork.Fork();
    ASSERT_EQ(back.Truncate(length), length);
    const std::vector<float> logits = Read(*model, back, other, 80);
    Tokens whole(tokens.begin(), tokens.begin() + length);
    whole.insert(whole.end(), other.begin(), other.end());
    const std::vector<float> fresh = Read(*model, options, whole, 512);
    EXPECT_TRUE(std::equal(logits.begin(), logits.end(),
                           fresh.end() - static_cast<ptrdiff_t>(logits.size())))
        << length;
  }
  // Going back farther means reading everything again.
  Memory back = fork.Fork();
  EXPECT_EQ(back.Truncate(600), 0);
  EXPECT_EQ(back.length(), 0);
  EXPECT_EQ(Read(*model, back, tokens, 64), Read(*model, options, tokens, 512));
}

TEST_F(LongTextTest, SparseAttentionGoesWithDualChunks) {
  const auto model = Load("qwen2-dca");
  const Tokens tokens = RandomTokens(*model, 1500);
  const auto read = [&](double mass, int64_t chunk) {
    return Read(*model, {.max_tokens = 2000, .attention_mass = mass}, tokens, chunk);
  };
  const std::vector<float> exact = Read(*model, {.max_tokens = 2000}, tokens, 512);
  const std::vector<float> sparse = read(0.5, 512);
  EXPECT_NE(sparse, exact);
  EXPECT_TRUE(std::ranges::all_of(sparse, [](float x) { return std::isfinite(x); }));
  EXPECT_EQ(read(0.5, 256), sparse) << "cut where blocks are";
  EXPECT_LT(WorstDeviation(read(0.9999999, 512), exact, 64), WorstDeviation(sparse, exact, 64));
}

TEST_F(LongTextTest, RefusesWhatDoesNotGoTogether) {
  const auto model = Load("llama");
  for (const MemoryOptions& bad :
       // With the page being read, the sinks and the window of the first options need 1088 tokens.
       {MemoryOptions{.window = 128, .sinks = 832 + 1}, MemoryOptions{.sinks = 64},
        MemoryOptions{.window = -1}, MemoryOptions{.longer = ContextExtension::kDca, .window = 64},
        MemoryOptions{.attention_mass = 0.5, .window = 64}}) {
    EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { model->NewMemory(bad); }));
  }
  EXPECT_EQ(model->NewMemory({.window = 128, .sinks = 832}).positions().rope_tokens, 1024);
}

TEST_F(LongTextTest, ModelsWithAStateHaveNoWayToBeLengthened) {
  for (const std::string variant : {"mamba", "jamba"}) {
    const auto model = Load(variant);
    for (const MemoryOptions& bad : {MemoryOptions{.longer = ContextExtension::kDca},
                                     MemoryOptions{.longer = ContextExtension::kYarn},
                                     MemoryOptions{.window = 128, .sinks = 64}}) {
      EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { model->NewMemory(bad); })) << variant;
    }
    const int64_t tokens = 10 * model->facts().trained_tokens;
    const Memory memory =
        model->NewMemory({.max_tokens = tokens, .longer = ContextExtension::kNone});
    EXPECT_EQ(memory.max_tokens(), tokens);
    EXPECT_TRUE(memory.positions().is_plain());
  }
}

}  // namespace
}  // namespace tome
