// A tap of Model::Forward changes no result, misses no token, and counts its own item only.
// attention_test.cc checks the masses themselves.
#include "tome/models/attention_tap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>

#include "tests/models/golden_model.h"

namespace tome {
namespace {

class AttentionTapTest : public GoldenModelTest {
 protected:
  void SetUp() override {
    WriteGoldenModel(GetParam(), folder_.path() / "model");
    model_ = LoadModelIn(folder_.path() / "model", compute_);
    golden_ = ReadGolden(GetParam());
    const nlohmann::json config = ParseConfig(ReadText(folder_.path() / "model/config.json"));
    heads_ = config.value("num_attention_heads", int64_t{0});
    for (int64_t layer = 0; layer < model_->facts().kv.layers; ++layer) {
      for (int64_t head = 0; head < heads_; ++head) all_.push_back({.layer = layer, .head = head});
    }
  }

  Memory NewMemory(KvType type = KvType::kF16, int64_t max_tokens = 1024) const {
    return model_->NewMemory({.kv = type, .max_tokens = max_tokens});
  }

  // Returns the golden tokens, repeated until there are `count`.
  std::vector<TokenId> Tokens(size_t count) const {
    std::vector<TokenId> tokens(count);
    for (size_t i = 0; i < count; ++i) tokens[i] = golden_.tokens[i % golden_.tokens.size()];
    return tokens;
  }

  // Returns a tap of all heads, with spans of which some cross pages.
  AttentionTap NewTap(int64_t first_position = 0) const {
    return {.heads = all_,
            .spans = {{3, 20}, {50, 70}, {70, 71}, {120, 200}},
            .first_position = first_position,
            .mass = {}};
  }
  AttentionTap NewCoveringTap(int64_t tokens) const {
    return {.heads = all_,
            .spans = {{0, 1}, {1, 50}, {50, 64}, {64, tokens - 1}, {tokens - 1, tokens}},
            .mass = {}};
  }

  std::vector<float> Run(Batch batch) const {
    const Tensor logits = model_->Forward(batch, compute_);
    return {logits.floats().begin(), logits.floats().end()};
  }
  std::vector<float> Read(Memory& memory, std::span<const TokenId> tokens,
                          AttentionTap* tap = nullptr) const {
    const BatchItem item{.memory = &memory, .tokens = tokens, .logits = LogitsOf::kAll, .tap = tap};
    return Run({&item, 1});
  }

  static double SumOf(const AttentionTap& tap, size_t head) {
    double sum = 0;
    for (size_t j = 0; j < tap.spans.size(); ++j) sum += tap.At(head, j);
    return sum;
  }

  int64_t heads_ = 0;
  std::vector<AttentionHead> all_;
};

TEST_P(AttentionTapTest, ChangesNoBitOfTheLogits) {
  const std::vector<TokenId> tokens = Tokens(200);
  for (const KvType type : kKvTypes) {
    Memory plain = NewMemory(type);
    Memory tapped = NewMemory(type);
    AttentionTap tap = NewTap();
    EXPECT_EQ(Read(tapped, tokens, &tap), Read(plain, tokens)) << NameOf(type);
    EXPECT_EQ(Read(tapped, std::span(tokens).first(9), &tap),
              Read(plain, std::span(tokens).first(9)))
        << NameOf(type);
  }
}

TEST_P(AttentionTapTest, SpansThatCoverEverythingHoldTheTokensOfEachHead) {
  // In memories with two types, tokens of the second part read the first part in the main type.
  for (const KvType type : {KvType::kF32, KvType::kF16, KvType::kQ8}) {
    const size_t count = type == KvType::kQ8 ? kKvPartTokens + 40 : 200;
    const std::vector<TokenId> tokens = Tokens(count);
    Memory memory = NewMemory(type, 2048);
    AttentionTap tap = NewCoveringTap(static_cast<int64_t>(count));
    if (type == KvType::kQ8) tap.first_position = kKvPartTokens - 10;
    Read(memory, tokens, &tap);
    const auto counted = static_cast<double>(count) - static_cast<double>(tap.first_position);
    for (size_t i = 0; i < all_.size(); ++i) {
      EXPECT_NEAR(SumOf(tap, i), counted, counted * 0x1p-40) << NameOf(type) << " head " << i;
    }
    EXPECT_EQ(tap.mass.empty(), all_.empty());
  }
}

TEST_P(AttentionTapTest, PassesAddUp) {
  const std::vector<TokenId> tokens = Tokens(200);
  Memory once = NewMemory();
  AttentionTap whole = NewTap();
  Read(once, tokens, &whole);
  Memory several = NewMemory();
  AttentionTap added = NewTap();
  for (const auto& [begin, end] :
       {std::pair<size_t, size_t>{0, 30}, {30, 31}, {31, 130}, {130, 200}}) {
    Read(several, std::span(tokens).subspan(begin, end - begin), &added);
  }
  // The shares are the same, added up in another order.
  ASSERT_EQ(added.mass.size(), whole.mass.size());
  for (size_t i = 0; i < whole.mass.size(); ++i) {
    EXPECT_NEAR(added.mass[i], whole.mass[i], whole.mass[i] * 0x1p-40);
  }
}

TEST_P(AttentionTapTest, TokensBeforeTheFirstPositionAreNotCounted) {
  const std::vector<TokenId> tokens = Tokens(200);
  Memory memory = NewMemory();
  AttentionTap later = NewTap(130);
  Read(memory, tokens, &later);
  Memory cut = NewMemory();
  Read(cut, std::span(tokens).first(130));
  AttentionTap second = NewTap();
  Read(cut, std::span(tokens).subspan(130), &second);
  EXPECT_EQ(later.mass, second.mass);
  EXPECT_EQ(later.mass.empty(), all_.empty());
  Memory again = NewMemory();
  AttentionTap none = NewTap(200);
  Read(again, tokens, &none);
  EXPECT_THAT(none.mass, testing::Each(0.0));
}

TEST_P(AttentionTapTest, ItemsOfABatchHaveTheirOwn) {
  const std::vector<TokenId> tokens = Tokens(400);
  const std::array<std::span<const TokenId>, 4> news{
      std::span(tokens).subspan(100, 3), std::span(tokens).subspan(200, 70),
      std::span(tokens).subspan(300, 20), std::span(tokens).subspan(150, 1)};
  // Items 0 and 1 continue forks of one memory.
  Memory trunk = NewMemory();
  Read(trunk, std::span(tokens).first(100));
  const auto memories = [&] {
    std::vector<Memory> all;
    all.push_back(trunk.Fork());
    all.push_back(trunk.Fork());
    all.push_back(NewMemory());
    all.push_back(NewMemory(KvType::kQ8));
    return all;
  };
  std::vector<Memory> alone = memories();
  std::vector<Memory> together = memories();
  std::vector<AttentionTap> expected;
  std::vector<float> logits;
  std::vector<AttentionTap> taps(4, NewTap());
  taps[1].spans = {{0, 150}};
  std::vector<BatchItem> items;
  for (size_t i = 0; i < 4; ++i) {
    const bool tapped = i != 2;
    expected.push_back(taps[i]);
    const std::vector<float> rows = Read(alone[i], news[i], tapped ? &expected.back() : nullptr);
    logits.insert(logits.end(), rows.begin(), rows.end());
    items.push_back({.memory = &together[i],
                     .tokens = news[i],
                     .logits = LogitsOf::kAll,
                     .tap = tapped ? &taps[i] : nullptr});
  }
  EXPECT_EQ(Run(items), logits);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(taps[i].mass, expected[i].mass) << i;
  EXPECT_TRUE(taps[2].mass.empty());
}

TEST_P(AttentionTapTest, ForksAreTappedAsIfReadFromTheBeginning) {
  const std::vector<TokenId> tokens = Tokens(300);
  Memory memory = NewMemory();
  Read(memory, std::span(tokens).first(100));
  Memory fork = memory.Fork();
  Read(memory, std::span(tokens).subspan(200, 70));
  AttentionTap tap = NewTap();
  Read(fork, std::span(tokens).subspan(100, 60), &tap);
  Memory fresh = NewMemory();
  AttentionTap expected = NewTap(100);
  Read(fresh, std::span(tokens).first(160), &expected);
  EXPECT_EQ(tap.mass, expected.mass);
}

TEST_P(AttentionTapTest, HeadsThatTheModelDoesNotHaveStayAtZero) {
  const std::vector<TokenId> tokens = Tokens(100);
  Memory memory = NewMemory();
  AttentionTap tap = NewTap();
  tap.heads = {{.layer = 0, .head = heads_},
               {.layer = 99, .head = 0},
               {.layer = -1, .head = 0},
               {.layer = 0, .head = -1}};
  Read(memory, tokens, &tap);
  EXPECT_THAT(tap.mass, testing::Each(0.0));
  tap.heads.clear();
  tap.mass.clear();
  Read(memory, tokens, &tap);
  EXPECT_TRUE(tap.mass.empty());
}

// A tap counts nothing where tokens do not attend to all tokens before them.
TEST_P(AttentionTapTest, SparseAndStreamingMemoriesGiveNothing) {
  const std::vector<TokenId> tokens = Tokens(300);
  for (const MemoryOptions& options :
       {MemoryOptions{.max_tokens = 1024, .attention_mass = 0.5}, MemoryOptions{.window = 64}}) {
    // Recurrent layers have no window.
    if (options.window > 0 && model_->facts().has_recurrent()) continue;
    Memory memory = model_->NewMemory(options);
    AttentionTap tap = NewTap();
    Read(memory, tokens, &tap);
    EXPECT_THAT(tap.mass, testing::Each(0.0));
    EXPECT_EQ(tap.At(0, 0), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, AttentionTapTest,
                         testing::Values("llama", "gemma2", "qwen2-dca", "phi3-window",
                                         "llama-dynamic", "mamba", "jamba"),
                         [](const auto& variant) {
                           std::string name = variant.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace tome
