// Summaries that grow with a memory must equal those of the text read at once.
#include "tome/memory/key_summaries.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/memory/write_kv.h"

namespace tome {
namespace {

constexpr KvShape kShape{.layers = 1, .kv_heads = 2, .head_size = 8};

// Returns the bytes of the summaries of the first `count` pages, or parts.
std::vector<std::byte> BytesOf(std::span<const std::byte* const> blocks, int64_t count) {
  std::vector<std::byte> bytes;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t head = 0; head < kShape.kv_heads; ++head) {
      for (int64_t c = 0; c < kShape.head_size; ++c) {
        for (const int64_t which : {0, 1}) {
          const std::byte* const at = blocks[static_cast<size_t>(i / kKvPartPages)] +
                                      KeySummaryElement(kShape.head_size, head, c, which, i) * 2;
          bytes.insert(bytes.end(), at, at + 2);
        }
      }
    }
  }
  return bytes;
}

class KeySummariesTest : public testing::Test {
 protected:
  static constexpr int64_t kTokens = 20 * kKvPartTokens + 700;

  KeySummariesTest() {
    std::normal_distribution<float> normal;
    for (float& x : k_) x = normal(random_);
    kv_.Reserve(kTokens);
    kv_.PrefetchNextLayer(0);
    WriteKv(kv_, 0, k_, k_, threads_);
    kv_.Advance(kTokens);
  }

  void Update(KeySummaries& summaries, int64_t kept, int64_t length) {
    summaries.Update(0, kv_.Keys(0), kv_.type(), kept, length, {SelectKernelSet(), threads_});
  }
  void ExpectSame(const KeySummaries& one, const KeySummaries& other, int64_t length) {
    const int64_t pages = length / kKvPageTokens;
    const int64_t parts = length / kKvPartTokens;
    EXPECT_EQ(BytesOf(one.Pages(0), pages), BytesOf(other.Pages(0), pages));
    EXPECT_EQ(BytesOf(one.Parts(0), parts), BytesOf(other.Parts(0), parts));
  }

  std::mt19937 random_{1};
  ThreadPool threads_{2};
  std::vector<float> k_ = std::vector<float>(kTokens * 16);
  PagedKv kv_{kShape, KvType::kF32};
};

TEST_F(KeySummariesTest, GrownBitByBitTheyAreThoseOfTheWhole) {
  KeySummaries whole(kShape);
  Update(whole, 0, kTokens);
  KeySummaries grown(kShape);
  int64_t length = 0;
  while (length < kTokens) {
    const int64_t next = std::min<int64_t>(kTokens, length + 1 + random_() % 2500);
    Update(grown, length, next);
    length = next;
  }
  ExpectSame(grown, whole, kTokens);
  EXPECT_EQ(grown.bytes(), (21 + 2) * KeySummaryBytes(kShape.kv_heads, kShape.head_size));
}

TEST_F(KeySummariesTest, AForkThatGoesBackLeavesTheOthersSummariesAlone) {
  KeySummaries whole(kShape);
  Update(whole, 0, kTokens);
  const auto pages = BytesOf(whole.Pages(0), kTokens / kKvPageTokens);
  const auto parts = BytesOf(whole.Parts(0), kTokens / kKvPartTokens);
  KeySummaries fork = whole;
  const int64_t back = 17 * kKvPartTokens + 100;
  for (size_t i = static_cast<size_t>(back) * 16; i < k_.size(); ++i) k_[i] = -3 * k_[i];
  EXPECT_EQ(kv_.Truncate(back), back);
  kv_.Reserve(kTokens - back);
  kv_.PrefetchNextLayer(0);
  const std::vector<float> rest(k_.begin() + back * 16, k_.end());
  WriteKv(kv_, 0, rest, rest, threads_);
  kv_.Advance(kTokens - back);
  Update(fork, back, kTokens);
  EXPECT_EQ(BytesOf(whole.Pages(0), kTokens / kKvPageTokens), pages);
  EXPECT_EQ(BytesOf(whole.Parts(0), kTokens / kKvPartTokens), parts);
  KeySummaries anew(kShape);
  Update(anew, 0, kTokens);
  ExpectSame(fork, anew, kTokens);
}

}  // namespace
}  // namespace tome
