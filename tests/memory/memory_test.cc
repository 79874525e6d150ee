#include "tome/memory/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace tome {
namespace {

constexpr RecurrentShape kState{.layers = 2, .window = 0, .state = 4};
constexpr KvShape kKv{.layers = 1, .kv_heads = 1, .head_size = 4};

// Reads tokens whose keys are their positions, and whose state is the sum of all positions.
void Read(Memory& memory, int64_t tokens) {
  memory.Reserve(tokens);
  const int64_t first = memory.length();
  float sum = 0;
  for (int64_t t = first; t < first + tokens; ++t) {
    sum += static_cast<float>(t);
    if (!memory.has_kv()) continue;
    std::byte* page =
        memory.kv().Writable(0).keys[static_cast<size_t>(memory.kv().length() + t - first) / 64];
    const auto key = static_cast<float>(t);
    std::memcpy(page + (t % 64) * 4, &key, 4);
  }
  if (memory.has_recurrent()) {
    for (int64_t layer = 0; layer < kState.layers; ++layer) {
      const float before = memory.recurrent().View(layer).state.front();
      std::ranges::fill(memory.recurrent().Next(layer).state, before + sum);
    }
  }
  memory.Advance(tokens);
}

void ExpectLength(const Memory& memory, int64_t length) {
  EXPECT_EQ(memory.length(), length);
  if (memory.has_recurrent()) {
    EXPECT_EQ(memory.recurrent().View(1).state.front(),
              static_cast<float>(length * (length - 1) / 2));
  }
  if (!memory.has_kv()) return;
  EXPECT_EQ(memory.kv().length(), length);
  for (int64_t t = 0; t < length; ++t) {
    float key = 0;
    std::memcpy(&key, memory.kv().View(0).keys[static_cast<size_t>(t) / 64] + (t % 64) * 4, 4);
    EXPECT_EQ(key, static_cast<float>(t));
  }
}

Memory Attention() { return {PagedKv(kKv, KvType::kF32), 1000}; }
Memory Pure() { return {Recurrent(kState), std::nullopt, 1000}; }
Memory Hybrid() { return {Recurrent(kState), PagedKv(kKv, KvType::kF32), 1000}; }

TEST(MemoryTest, IsMadeOfWhatTheModelHas) {
  EXPECT_TRUE(Attention().has_kv() && !Attention().has_recurrent());
  EXPECT_TRUE(!Pure().has_kv() && Pure().has_recurrent());
  EXPECT_TRUE(Hybrid().has_kv() && Hybrid().has_recurrent());
}

TEST(MemoryTest, AttentionForgetsAnyNumberOfTokens) {
  Memory memory = Attention();
  Read(memory, 100);
  memory.Checkpoint();
  Read(memory, 30);
  EXPECT_EQ(memory.Truncate(117), 117);
  ExpectLength(memory, 117);
  EXPECT_EQ(memory.Truncate(3), 3);
  ExpectLength(memory, 3);
}

TEST(MemoryTest, RecurrentLayersGoBackToACheckpoint) {
  for (Memory (*make)() : {Pure, Hybrid}) {
    Memory memory = make();
    Read(memory, 70);
    memory.Checkpoint();
    memory.Checkpoint();
    Read(memory, 30);
    memory.Checkpoint();
    Read(memory, 50);
    EXPECT_EQ(memory.Truncate(150), 150);
    ExpectLength(memory, 150);
    EXPECT_EQ(memory.Truncate(149), 100);
    ExpectLength(memory, 100);
    Read(memory, 20);
    ExpectLength(memory, 120);
    EXPECT_EQ(memory.Truncate(100), 100) << "more than once";
    Read(memory, 11);
    EXPECT_EQ(memory.Truncate(99), 70);
    ExpectLength(memory, 70);
    EXPECT_EQ(memory.Truncate(69), 0) << "the checkpoint there is, is behind it";
    ExpectLength(memory, 0);
    Read(memory, 80);
    ExpectLength(memory, 80);
  }
}

TEST(MemoryTest, TheLastCheckpointsAreKept) {
  Memory memory = Hybrid();
  for (size_t i = 0; i <= kCheckpoints; ++i) {
    Read(memory, 10);
    memory.Checkpoint();
  }
  const auto last = static_cast<int64_t>(kCheckpoints + 1) * 10;
  EXPECT_GE(memory.bytes(), static_cast<int64_t>(kCheckpoints + 1) * RecurrentBytes(kState));
  Memory fork = memory.Fork();
  EXPECT_EQ(memory.Truncate(last - 1), last - 10);
  EXPECT_EQ(memory.Truncate(20), 20);
  ExpectLength(memory, 20);
  EXPECT_EQ(memory.Truncate(19), 0) << "the first one is forgotten";
  Read(fork, 3);
  ExpectLength(fork, last + 3);
  EXPECT_EQ(fork.Truncate(last), last) << "a fork has them, too";
  ExpectLength(fork, last);
}

}  // namespace
}  // namespace tome
