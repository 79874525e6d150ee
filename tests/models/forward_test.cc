// Model::Forward gives a token's logits the same bits whatever the batch, the threads and the
// history are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <span>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"
#include "tome/kernels/page_choice.h"

namespace tome {
namespace {

using Tokens = std::vector<TokenId>;

class ForwardTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    WriteGoldenModel(GetParam(), folder_.path() / "model");
    model_ =
        LoadModel(std::make_shared<const Checkpoint>(Checkpoint::Open(folder_.path() / "model")),
                  {SelectKernelSet(), threads_});
  }

  Memory NewMemory(KvType type = KvType::kF16, int64_t max_tokens = 400) const {
    return model_->NewMemory({.kv = type, .max_tokens = max_tokens});
  }

  Tokens RandomTokens(size_t count) {
    Tokens tokens;
    for (size_t i = 0; i < count; ++i) {
      tokens.push_back(
          static_cast<TokenId>(random_() % static_cast<uint64_t>(model_->facts().vocabulary)));
    }
    return tokens;
  }

  std::vector<float> Run(Batch batch, ThreadPool& threads) const {
    const Tensor logits = model_->Forward(batch, {SelectKernelSet(), threads});
    EXPECT_EQ(logits.shape().row_elements(), model_->facts().vocabulary);
    return {logits.floats().begin(), logits.floats().end()};
  }
  // Returns all logits of one sequence.
  std::vector<float> Read(Memory& memory, const Tokens& tokens) {
    const BatchItem item{.memory = &memory, .tokens = tokens, .logits = LogitsOf::kAll};
    return Run({&item, 1}, threads_);
  }
  std::vector<float> ReadFresh(const Tokens& tokens, KvType type = KvType::kF16) {
    Memory memory = NewMemory(type);
    return Read(memory, tokens);
  }
  // Returns the last `count` rows of logits.
  std::vector<float> Rows(const std::vector<float>& logits, size_t count) const {
    const size_t size = count * static_cast<size_t>(model_->facts().vocabulary);
    return {logits.end() - static_cast<ptrdiff_t>(size), logits.end()};
  }

  TempFolder folder_;
  std::unique_ptr<Model> model_;
  std::mt19937 random_{1};
  ThreadPool threads_{2};
};

Tokens Joined(Tokens a, const Tokens& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST_P(ForwardTest, ABatchEqualsItsSequencesAlone) {
  for (const KvType type : kKvTypes) {
    const std::vector<Tokens> histories{RandomTokens(10), {}, RandomTokens(64), RandomTokens(130)};
    const std::vector<Tokens> news{RandomTokens(1), RandomTokens(65), RandomTokens(7),
                                   RandomTokens(20)};
    const std::vector<LogitsOf> wanted{LogitsOf::kLast, LogitsOf::kAll, LogitsOf::kNone,
                                       LogitsOf::kAll};
    std::vector<Memory> memories;
    std::vector<BatchItem> items;
    std::vector<float> expected;
    for (size_t i = 0; i < news.size(); ++i) {
      memories.push_back(NewMemory(type));
      if (!histories[i].empty()) Read(memories.back(), histories[i]);
      const std::vector<float> alone = ReadFresh(Joined(histories[i], news[i]), type);
      const size_t rows = wanted[i] == LogitsOf::kAll    ? news[i].size()
                          : wanted[i] == LogitsOf::kLast ? 1
                                                         : 0;
      const std::vector<float> last = Rows(alone, rows);
      expected.insert(expected.end(), last.begin(), last.end());
    }
    for (size_t i = 0; i < news.size(); ++i) {
      items.push_back({.memory = &memories[i], .tokens = news[i], .logits = wanted[i]});
    }
    EXPECT_EQ(Run(items, threads_), expected);
    for (size_t i = 0; i < news.size(); ++i) {
      EXPECT_EQ(memories[i].length(), static_cast<int64_t>(histories[i].size() + news[i].size()));
    }
  }
}

TEST_P(ForwardTest, ThreadsDoNotChangeABit) {
  const Tokens tokens = RandomTokens(100);
  std::vector<std::vector<float>> results;
  for (const int count : {1, 2, 3}) {
    ThreadPool threads(count);
    Memory memory = NewMemory();
    const BatchItem item{.memory = &memory, .tokens = tokens, .logits = LogitsOf::kAll};
    results.push_back(Run({&item, 1}, threads));
  }
  EXPECT_EQ(results[1], results[0]);
  EXPECT_EQ(results[2], results[0]);
}

TEST_P(ForwardTest, ForksContinueAsIfReadFromTheBeginning) {
  for (const size_t length : {63, 64, 100}) {
    const Tokens common = RandomTokens(length);
    Memory memory = NewMemory();
    Read(memory, common);
    Memory fork = memory.Fork();
    const Tokens one = RandomTokens(30);
    const Tokens other = RandomTokens(70);
    const std::vector<float> first = Read(fork, other);
    const std::vector<float> second = Read(memory, one);
    EXPECT_EQ(first, Rows(ReadFresh(Joined(common, other)), other.size())) << length;
    EXPECT_EQ(second, Rows(ReadFresh(Joined(common, one)), one.size())) << length;
  }
}

TEST_P(ForwardTest, ATruncatedMemoryContinuesAsIfReadFromTheBeginning) {
  const Tokens tokens = RandomTokens(150);
  for (const size_t kept : {0, 1, 63, 64, 100, 128}) {
    Memory memory = NewMemory();
    Read(memory, tokens);
    const auto left = static_cast<size_t>(memory.Truncate(static_cast<int64_t>(kept)));
    EXPECT_EQ(left, memory.has_recurrent() ? 0 : kept);
    const Tokens prefix(tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(left));
    const Tokens other = RandomTokens(40);
    EXPECT_EQ(Read(memory, other), Rows(ReadFresh(Joined(prefix, other)), other.size())) << kept;
  }
}

TEST_P(ForwardTest, RefusedBatchesChangeNoMemory) {
  const auto vocabulary = static_cast<TokenId>(model_->facts().vocabulary);
  const Tokens history = RandomTokens(100);
  Memory good = NewMemory();
  Memory full = NewMemory(KvType::kF16, 110);
  Read(good, history);
  // `full` reads the history itself instead of forking, because its max_tokens differs: some RoPE
  // scalings choose their frequencies by max_tokens.
  Read(full, history);
  const Tokens fine = RandomTokens(5);
  const auto refused = [&](Memory& memory, const Tokens& tokens) {
    const std::vector<BatchItem> items{{.memory = &good, .tokens = fine},
                                       {.memory = &memory, .tokens = tokens}};
    EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Run(items, threads_); }));
    EXPECT_EQ(good.length(), 100);
    EXPECT_EQ(memory.length(), &memory == &full ? 100 : 0);
  };
  for (const TokenId bad : {vocabulary, TokenId{-1}, std::numeric_limits<TokenId>::max(),
                            std::numeric_limits<TokenId>::min()}) {
    Memory memory = NewMemory();
    refused(memory, Joined(fine, {bad}));
  }
  refused(full, {});
  refused(full, RandomTokens(11));
  EXPECT_EQ(Read(good, fine), Rows(ReadFresh(Joined(history, fine)), fine.size()));
  Read(full, RandomTokens(10));  // exactly full
  EXPECT_EQ(full.length(), 110);
  const BatchItem one{.memory = &full, .tokens = std::span(fine).first(1)};
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Run({&one, 1}, threads_); }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { NewMemory(KvType::kF16, -1); }));
}

// The layers of a variant whose attention can be sparse: those without a window. Of these, the
// layers before kFirstSparseLayer are exact for single tokens.
struct SparseLayers {
  int64_t of_blocks = 0;
  int64_t of_single_tokens = 0;
};
const std::map<std::string, SparseLayers> kSparseLayers{
    {"llama", {3, 1}},       {"gemma2", {2, 1}},        {"qwen3-yarn", {3, 1}},
    {"phi3-window", {0, 0}}, {"llama-dynamic", {3, 1}}, {"jamba", {1, 0}},
};

TEST_P(ForwardTest, SparseAttentionIsByChoiceAndCounted) {
  const Tokens tokens = RandomTokens(2000);
  const auto read = [&](std::optional<double> mass, const std::vector<size_t>& cuts, int count,
                        std::optional<SparseUse>& use) {
    ThreadPool threads(count);
    Memory memory = model_->NewMemory({.max_tokens = 2100, .attention_mass = mass});
    std::vector<float> logits;
    size_t begin = 0;
    for (const size_t end : cuts) {
      const BatchItem item{.memory = &memory,
                           .tokens = std::span(tokens).subspan(begin, end - begin),
                           .logits = LogitsOf::kLast};
      logits = Run({&item, 1}, threads);
      begin = end;
    }
    use.reset();
    if (memory.sparse()) use = memory.sparse()->use;
    return logits;
  };
  std::optional<SparseUse> use;
  const std::vector<float> exact = read({}, {512, 1024, 1999, 2000}, 2, use);
  EXPECT_FALSE(use);
  // Attention with a mass of 1 is exact.
  EXPECT_EQ(read(1.0, {512, 1024, 1999, 2000}, 2, use), exact);
  EXPECT_FALSE(use);
  if (!model_->facts().has_attention()) {
    EXPECT_EQ(read(0.3, {512, 1024, 1999, 2000}, 2, use), exact);
    EXPECT_FALSE(use);
    return;
  }
  const std::vector<float> sparse = read(0.3, {512, 1024, 1999, 2000}, 2, use);
  ASSERT_TRUE(use);
  const SparseUse first = *use;
  EXPECT_EQ(read(0.3, {512, 1024, 1999, 2000}, 3, use), sparse) << "another number of threads";
  EXPECT_EQ(read(0.3, {1024, 1999, 2000}, 1, use), sparse) << "cut where blocks are";
  EXPECT_EQ(read(0.3, {512, 1024, 1999, 2000}, 2, use), sparse);
  for (const double bad : {0.0, -1.0, 1.5, std::nan("")}) {
    EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { model_->NewMemory({.attention_mass = bad}); }));
  }
  const SparseLayers layers = kSparseLayers.at(GetParam());
  if (layers.of_blocks == 0) {
    EXPECT_EQ(sparse, exact) << "layers with a window attend exactly";
  } else {
    EXPECT_NE(sparse, exact) << "no token attends less";
  }
  // Tokens 0 to 1998 are read in blocks of 128, or two pages. The last block has 79 tokens.
  const int64_t heads = model_->facts().kv.kv_heads;
  int64_t of_blocks = 79 * 32;
  for (int64_t block = 0; block < 15; ++block) of_blocks += 128 * 2 * (block + 1);
  EXPECT_EQ(first.blocks.seen_pages, layers.of_blocks * heads * of_blocks);
  // The token at position 1999 sees 32 pages.
  EXPECT_EQ(first.single.seen_pages, layers.of_single_tokens * heads * 32);
  // It attends its own page, the sinks and the recent pages in any case.
  EXPECT_GE(first.single.attended_pages,
            layers.of_single_tokens * heads * (kKvSinkPages + kRecentPages + 1));
  for (const AttentionShare& share : {first.blocks, first.single}) {
    if (share.seen_pages == 0) continue;
    EXPECT_LT(share.attended_pages, share.seen_pages);
    EXPECT_LT(share.mass(), 1);
    EXPECT_GE(share.mass(), 0.3);
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, ForwardTest,
                         testing::Values("llama", "gemma2", "qwen3-yarn", "phi3-window",
                                         "llama-dynamic", "mamba", "mamba2", "jamba"),
                         [](const auto& variant) {
                           std::string name = variant.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace tome
