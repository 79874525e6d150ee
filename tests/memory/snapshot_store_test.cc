#include "tome/memory/snapshot_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "tests/expect_error.h"
#include "tests/memory/write_kv.h"
#include "tests/temp_folder.h"
#include "tome/memory/spill.h"

namespace tome {
namespace {

constexpr int64_t kPlenty = int64_t{1} << 40;

size_t Count(int64_t size) { return static_cast<size_t>(size); }

// Reader stands in for a model. Its keys and values for a token depend on all tokens up to it, as
// with a real model, and are different everywhere.
class Reader {
 public:
  explicit Reader(KvType type, KvShape shape = {.layers = 2, .kv_heads = 2, .head_size = 6})
      : shape_(shape), types_(KvTypesOf(type, KvType::kBF16)) {}

  Memory NewMemory() const { return {PagedKv(shape_, types_), kPlenty}; }

  // Reads tokens after those that the memory holds.
  void Read(std::span<const TokenId> tokens, std::span<const TokenId> before,
            Memory& memory) const {
    PagedKv& kv = memory.kv();
    const auto count = static_cast<int64_t>(tokens.size());
    const auto width = shape_.kv_heads * shape_.head_size;
    std::vector<float> keys(Count(count * width));
    std::vector<float> values(keys.size());
    kv.Reserve(count);
    for (int64_t layer = 0; layer < shape_.layers; ++layer) {
      uint32_t state = 1;
      for (const TokenId token : before) state = Mix(state, token);
      for (int64_t t = 0; t < count; ++t) {
        state = Mix(state, tokens[Count(t)]);
        uint32_t mark = state + static_cast<uint32_t>(layer);
        for (int64_t i = 0; i < width; ++i) {
          mark = mark * 1664525U + 1013904223U;
          keys[Count(t * width + i)] = static_cast<float>(mark >> 16) / 1024.0F - 32.0F;
          values[Count(t * width + i)] = static_cast<float>(mark >> 8 & 0xFFFFU) / 1024.0F;
        }
      }
      WriteKv(kv, layer, keys, values, threads_);
    }
    kv.Advance(count);
  }

  Memory ReadAll(std::span<const TokenId> tokens) const {
    Memory memory = NewMemory();
    if (!tokens.empty()) Read(tokens, {}, memory);
    return memory;
  }

  // Returns how many of `common` tokens a kept memory of more tokens can give. A memory with two
  // types gives whole parts, except that it gives any number from its tail, which begins at `tail`.
  int64_t Usable(int64_t common, int64_t tail) const {
    return !types_.mixed() || common >= tail ? common : common / kSnapshotTokens * kSnapshotTokens;
  }

  // Returns all bytes that a memory's next token sees, without slots that were never written.
  std::vector<std::byte> Content(const Memory& memory) const {
    const PagedKv& kv = memory.kv();
    std::vector<std::byte> content;
    const auto add = [&](std::span<const std::byte> bytes, KvType type, int64_t used) {
      ASSERT_FALSE(bytes.empty());
      std::vector<std::byte> copy(bytes.begin(), bytes.end());
      kv.ClearSlots(type, used, copy.data());
      content.insert(content.end(), copy.begin(), copy.end());
    };
    for (int64_t layer = 0; layer < shape_.layers; ++layer) {
      const KvView view = kv.View(layer, kv.length());
      for (int64_t page = 0; page * kKvPageTokens < kv.length(); ++page) {
        const int64_t used = std::min(kKvPageTokens, kv.length() - page * kKvPageTokens);
        add(kv.PageBytes(layer, page), types_.main, used);
        if (!types_.mixed() || view.IsInMainType(page)) continue;
        add(kv.LocalPageBytes(layer, page), types_.local, used);
      }
    }
    return content;
  }

  ThreadPool& threads() const { return threads_; }

 private:
  static uint32_t Mix(uint32_t state, TokenId token) {
    return (state ^ static_cast<uint32_t>(token)) * 2654435761U + 12345U;
  }

  KvShape shape_;
  KvTypes types_;
  mutable ThreadPool threads_{2};
};

std::vector<TokenId> RandomTokens(std::mt19937& random, int64_t count) {
  std::vector<TokenId> tokens(Count(count));
  for (TokenId& token : tokens) token = static_cast<TokenId>(random() % 1000);
  return tokens;
}

std::span<const TokenId> First(const std::vector<TokenId>& tokens, int64_t count) {
  return std::span(tokens).first(Count(count));
}

const SnapshotOwner kOwner{.root = {.high = 1, .low = 2}, .model = "m", .title = "t"};

std::vector<std::filesystem::path> Files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  return files;
}

class SnapshotStoreTest : public testing::TestWithParam<KvType> {
 protected:
  SnapshotStore Open(int64_t max_bytes = kPlenty) const { return {folder_ / "kept", max_bytes}; }

  // Restores the tokens that a new store has and compares the memory with reading them.
  int64_t ExpectRestored(std::span<const TokenId> tokens, const SnapshotOwner& owner = kOwner) {
    SnapshotStore store = Open();
    Memory memory = reader_.NewMemory();
    const int64_t foreseen = store.CountStored(owner.root, tokens, memory);
    const int64_t count = store.Restore(owner, tokens, memory, reader_.threads());
    EXPECT_EQ(memory.length(), count);
    if (store.report().damaged == 0) {
      EXPECT_EQ(foreseen, count);
    }
    const Memory expected = reader_.ReadAll(tokens.first(Count(count)));
    EXPECT_TRUE(reader_.Content(memory) == reader_.Content(expected)) << count << " tokens";
    return count;
  }

  void KeepAll(const std::vector<TokenId>& tokens) {
    SnapshotStore store = Open();
    Memory memory = reader_.ReadAll(tokens);
    store.Keep(kOwner, tokens, memory, SnapshotStore::Tail::kKept);
    ASSERT_EQ(store.report().failure, "");
  }

  Reader reader_{GetParam()};
  std::mt19937 random_{7};
  TempFolder folder_;
};

TEST_P(SnapshotStoreTest, GivesBackTheBitsThatReadingGives) {
  const std::vector<TokenId> tokens = RandomTokens(random_, 2 * kSnapshotTokens + 333);
  KeepAll(tokens);
  EXPECT_EQ(Files(folder_ / "kept").size(), 3U);
  EXPECT_EQ(ExpectRestored(tokens), 2 * kSnapshotTokens + 333);
}

TEST_P(SnapshotStoreTest, ChangedEndingsCostOnlyWhatDiffers) {
  std::vector<TokenId> tokens = RandomTokens(random_, 2 * kSnapshotTokens + 333);
  KeepAll(tokens);
  for (const int64_t changed : {2 * kSnapshotTokens + 300, 2 * kSnapshotTokens, kSnapshotTokens + 1,
                                kSnapshotTokens, int64_t{70}, int64_t{0}}) {
    std::vector<TokenId> other = tokens;
    other[Count(changed)] += 1;
    const int64_t usable = reader_.Usable(changed, 2 * kSnapshotTokens);
    EXPECT_EQ(ExpectRestored(other), usable);
    EXPECT_EQ(ExpectRestored(First(tokens, changed)), usable);
  }
  const std::vector<TokenId> more = RandomTokens(random_, 2000);
  tokens.insert(tokens.end(), more.begin(), more.end());
  EXPECT_EQ(ExpectRestored(tokens), 2 * kSnapshotTokens + 333);
}

TEST_P(SnapshotStoreTest, AShortTextIsCountedAsItIsRestored) {
  const std::vector<TokenId> tokens = RandomTokens(random_, 300);
  KeepAll(tokens);
  const Memory memory = reader_.NewMemory();
  EXPECT_EQ(Open().CountStored(kOwner.root, tokens, memory), 300);
  std::vector<TokenId> longer = tokens;
  longer.insert(longer.end(), 5, 3);
  EXPECT_EQ(Open().CountStored(kOwner.root, longer, memory), 300);
  EXPECT_EQ(Open().CountStored(kOwner.root, First(tokens, 250), memory), 250);
  EXPECT_EQ(Open().CountStored({.high = 9, .low = 9}, tokens, memory), 0);
  EXPECT_EQ(ExpectRestored(longer), 300);
}

TEST_P(SnapshotStoreTest, WhatIsRestoredIsCopiedBeforeItIsWritten) {
  const std::vector<TokenId> tokens = RandomTokens(random_, kSnapshotTokens + 200);
  KeepAll(tokens);
  SnapshotStore store = Open();
  Memory memory = reader_.NewMemory();
  std::vector<TokenId> other(tokens.begin(), tokens.begin() + kSnapshotTokens + 150);
  ASSERT_EQ(store.Restore(kOwner, other, memory, reader_.threads()), kSnapshotTokens + 150);
  const std::vector<TokenId> more = RandomTokens(random_, 500);
  reader_.Read(more, other, memory);
  other.insert(other.end(), more.begin(), more.end());
  EXPECT_TRUE(reader_.Content(memory) == reader_.Content(reader_.ReadAll(other)));
  EXPECT_EQ(ExpectRestored(tokens), kSnapshotTokens + 200);
}

TEST_P(SnapshotStoreTest, AnotherModelFindsNothing) {
  const std::vector<TokenId> tokens = RandomTokens(random_, kSnapshotTokens + 200);
  KeepAll(tokens);
  SnapshotOwner other = kOwner;
  other.root.low += 1;
  EXPECT_EQ(ExpectRestored(tokens, other), 0);
}

TEST_P(SnapshotStoreTest, DamagedFilesAreRemovedAndNeverUsed) {
  const std::vector<TokenId> tokens = RandomTokens(random_, 2 * kSnapshotTokens + 333);
  KeepAll(tokens);
  std::vector<std::pair<std::filesystem::path, std::string>> good;
  for (const auto& path : Files(folder_ / "kept")) good.emplace_back(path, FileBytes(path));
  for (int round = 0; round < 150; ++round) {
    for (const auto& [path, bytes] : good) WriteFile(path, bytes);
    const size_t victim = random_() % good.size();
    std::string bytes = good[victim].second;
    switch (round % 3) {
      // A bit is flipped. Headers, where every bit counts, are hit as often as the rest.
      case 0:
        bytes[random_() % (round % 2 == 0 ? 900 : bytes.size())] ^=
            static_cast<char>(1U << random_() % 8);
        break;
      case 1:
        bytes.resize(random_() % bytes.size());
        break;
      default:
        bytes = good[(victim + 1) % good.size()].second;  // the content of another file
    }
    WriteFile(good[victim].first, bytes);
    const int64_t count = ExpectRestored(tokens);
    EXPECT_TRUE(count == 0 || count == kSnapshotTokens || count == 2 * kSnapshotTokens) << count;
    EXPECT_FALSE(std::filesystem::exists(good[victim].first)) << "round " << round;
    KeepAll(tokens);
    EXPECT_EQ(ExpectRestored(tokens), 2 * kSnapshotTokens + 333);
  }
}

TEST_P(SnapshotStoreTest, StaysWithinItsSizeAndForgetsTheOldest) {
  const std::vector<TokenId> tokens = RandomTokens(random_, kSnapshotTokens);
  KeepAll(tokens);
  const int64_t one = Open().bytes();
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(5);
  std::filesystem::last_write_time(Files(folder_ / "kept").front(), old);
  const std::vector<TokenId> second = RandomTokens(random_, kSnapshotTokens);
  const std::vector<TokenId> third = RandomTokens(random_, kSnapshotTokens);
  KeepAll(second);
  {
    SnapshotStore store = Open(2 * one);
    Memory memory = reader_.ReadAll(third);
    store.Keep(kOwner, third, memory, SnapshotStore::Tail::kKept);
    EXPECT_EQ(store.report().failure, "");
    EXPECT_LE(store.bytes(), 2 * one);
  }
  EXPECT_EQ(ExpectRestored(tokens), 0);
  EXPECT_EQ(ExpectRestored(second), kSnapshotTokens);
  EXPECT_EQ(ExpectRestored(third), kSnapshotTokens);
  // Snapshots in use are not removed to make room for their own continuation.
  SnapshotStore small = Open(2 * one);
  const std::vector<TokenId> longer = RandomTokens(random_, 3 * kSnapshotTokens);
  Memory memory = reader_.ReadAll(longer);
  small.Keep(kOwner, longer, memory, SnapshotStore::Tail::kKept);
  EXPECT_NE(small.report().failure, "");
  EXPECT_EQ(ExpectRestored(longer), 2 * kSnapshotTokens);
}

TEST_P(SnapshotStoreTest, OfATextTheEndGoesBeforeTheBeginning) {
  const std::vector<TokenId> tokens = RandomTokens(random_, 3 * kSnapshotTokens);
  KeepAll(tokens);
  const int64_t three = Open().bytes();
  // The files get the times that reading leaves: the beginning is the oldest.
  auto used = std::filesystem::file_time_type::clock::now() - std::chrono::hours(5);
  const auto entries = Open().List();
  for (const auto& entry : entries) {
    std::filesystem::last_write_time(entry.path, used += std::chrono::hours(1));
  }
  SnapshotStore store = Open(three);
  const std::vector<TokenId> other = RandomTokens(random_, kSnapshotTokens);
  Memory memory = reader_.ReadAll(other);
  store.Keep(kOwner, other, memory, SnapshotStore::Tail::kKept);
  EXPECT_EQ(store.report().failure, "");
  EXPECT_EQ(ExpectRestored(other), kSnapshotTokens);
  // The first part may be larger than others, because it has the sinks in both types.
  EXPECT_GE(ExpectRestored(tokens), kSnapshotTokens);
  EXPECT_TRUE(std::filesystem::exists(entries.front().path));
  EXPECT_FALSE(std::filesystem::exists(entries.back().path));
}

TEST_P(SnapshotStoreTest, AFolderThatCannotBeWrittenLosesOnlyTheSnapshot) {
  const std::vector<TokenId> tokens = RandomTokens(random_, kSnapshotTokens);
  SnapshotStore store = Open();
  std::filesystem::remove_all(folder_ / "kept");
  Memory memory = reader_.ReadAll(tokens);
  store.Keep(kOwner, tokens, memory, SnapshotStore::Tail::kKept);
  EXPECT_NE(store.report().failure, "");
  EXPECT_EQ(store.report().kept_bytes, 0);
}

TEST_P(SnapshotStoreTest, ListsAndVerifiesAndRemoves) {
  const std::vector<TokenId> tokens = RandomTokens(random_, kSnapshotTokens + 200);
  KeepAll(tokens);
  SnapshotStore store = Open();
  const auto entries = store.List();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].header.first, 0);
  EXPECT_EQ(entries[1].header.first, kSnapshotTokens);
  EXPECT_EQ(entries[1].tokens, 200);
  EXPECT_EQ(entries[1].header.parent, entries[0].header.key);
  EXPECT_EQ(entries[0].bytes + entries[1].bytes, store.bytes());
  EXPECT_TRUE(store.FindDamaged({}).empty());
  std::string bytes = FileBytes(entries[1].path);
  bytes[bytes.size() - 1] ^= 1;
  WriteFile(entries[1].path, bytes);
  EXPECT_EQ(store.FindDamaged({}), std::vector{entries[1].path});
  EXPECT_GT(store.Remove({kOwner.root}), 0);
  EXPECT_TRUE(Files(folder_ / "kept").empty());
}

INSTANTIATE_TEST_SUITE_P(Types, SnapshotStoreTest, testing::ValuesIn(kKvTypes),
                         [](const auto& test) { return std::string(NameOf(test.param)); });

// Compares random sequences of all operations on memories with a plain model: a list of tokens for
// each memory.
TEST(MemoryProperty, AnySequenceOfOperationsKeepsWhatWasRead) {
  constexpr int kSequences = 1000;
  std::mt19937 random(42);
  const TempFolder folder;
  for (int sequence = 0; sequence < kSequences; ++sequence) {
    const KvType type = kKvTypes[random() % kKvTypes.size()];
    const Reader reader(type, {.layers = 1, .kv_heads = 1, .head_size = 2});
    const SnapshotOwner owner{.root = KeyOf(NameOf(type)), .model = "m", .title = "t"};
    struct Pair {
      Memory memory;
      std::vector<TokenId> tokens;
    };
    std::vector<Pair> pairs;
    // Some memories have hardly any room in RAM.
    const auto spill = std::make_shared<SpillFile>(folder / "spill");
    const auto new_memory = [&] {
      Memory memory = reader.NewMemory();
      if (random() % 2 == 0) memory.kv().Limit(static_cast<int64_t>(random() % 20'000), spill);
      return memory;
    };
    pairs.push_back({new_memory(), {}});
    SnapshotStore store(folder / "kept", 100'000);
    const auto read = [&](Pair& pair, const std::vector<TokenId>& tokens) {
      if (tokens.empty()) return;
      reader.Read(tokens, pair.tokens, pair.memory);
      pair.tokens.insert(pair.tokens.end(), tokens.begin(), tokens.end());
    };
    for (int step = 0; step < 12; ++step) {
      Pair& pair = pairs[random() % pairs.size()];
      switch (random() % 6) {
        case 0:
        case 1: {
          // The texts are few, so that beginnings are shared.
          std::mt19937 text(random() % 3);
          read(pair, RandomTokens(text, static_cast<int64_t>(random() % 1500)));
          break;
        }
        case 2: {
          const auto length = static_cast<int64_t>(random() % (pair.tokens.size() + 1));
          const int64_t left = pair.memory.Truncate(length);
          ASSERT_EQ(left == length || left == reader.Usable(length, kPlenty), true);
          pair.tokens.resize(Count(left));
          break;
        }
        case 3:
          if (pairs.size() < 4) {
            Memory fork = pair.memory.Fork();
            std::vector<TokenId> tokens = pair.tokens;
            pairs.push_back({std::move(fork), std::move(tokens)});
          }
          break;
        case 4:
          if (!pair.tokens.empty())
            store.Keep(owner, pair.tokens, pair.memory, SnapshotStore::Tail::kKept);
          break;
        default: {
          Pair restored{new_memory(), {}};
          std::vector<TokenId> wanted = pair.tokens;
          if (!wanted.empty() && random() % 2 == 0) wanted[random() % wanted.size()] = 5;
          SnapshotStore other(folder / "kept", 100'000);
          const int64_t count = (random() % 2 == 0 ? store : other)
                                    .Restore(owner, wanted, restored.memory, reader.threads());
          restored.tokens.assign(wanted.begin(), wanted.begin() + count);
          pair = std::move(restored);
        }
      }
      for (const Pair& each : pairs) {
        ASSERT_TRUE(reader.Content(each.memory) == reader.Content(reader.ReadAll(each.tokens)))
            << "sequence " << sequence << " step " << step << ", " << NameOf(type);
      }
    }
  }
}

}  // namespace
}  // namespace tome
