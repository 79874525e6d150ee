#include "tome/memory/paged_kv.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <vector>

#include "tests/expect_error.h"
#include "tests/temp_folder.h"
#include "tome/memory/spill.h"

namespace tome {
namespace {

constexpr KvShape kShape{.layers = 2, .kv_heads = 3, .head_size = 4};

size_t Count(int64_t size) { return static_cast<size_t>(size); }

// Returns the number that one channel of a token's key (part 0) or value (part 1) holds. Marks of
// different arguments differ.
float Mark(int64_t token, int64_t layer, int64_t part, int64_t head, int64_t channel) {
  return static_cast<float>((((token * 2 + layer) * 2 + part) * 3 + head) * 4 + channel);
}

// Reserves room for the tokens, writes every channel of every layer by the layout of
// kernels/attention.h, and advances.
void Append(PagedKv& kv, const std::vector<int64_t>& tokens) {
  kv.Reserve(static_cast<int64_t>(tokens.size()));
  for (int64_t layer = 0; layer < kShape.layers; ++layer) {
    const PagedKv::WritablePages pages = kv.Writable(layer).front();
    for (size_t t = 0; t < tokens.size(); ++t) {
      const int64_t position = kv.length() + static_cast<int64_t>(t);
      const size_t page = Count(position / kKvPageTokens);
      for (int64_t head = 0; head < kShape.kv_heads; ++head) {
        for (int64_t channel = 0; channel < kShape.head_size; ++channel) {
          const int64_t at =
              (head * kKvPageTokens + position % kKvPageTokens) * kShape.head_size + channel;
          for (const int64_t part : {0, 1}) {
            const float value = Mark(tokens[t], layer, part, head, channel);
            std::byte* to = (part == 0 ? pages.keys : pages.values)[page];
            std::memcpy(to + at * 4, &value, sizeof value);
          }
        }
      }
    }
  }
  kv.Advance(static_cast<int64_t>(tokens.size()));
}

void ExpectTokens(const PagedKv& kv, const std::vector<int64_t>& tokens) {
  ASSERT_EQ(kv.length(), static_cast<int64_t>(tokens.size()));
  for (int64_t layer = 0; layer < kShape.layers; ++layer) {
    const KvView view = kv.View(layer, kv.length());
    ASSERT_EQ(kv.type(), KvType::kF32);
    ASSERT_EQ(view.keys.size(), view.values.size());
    ASSERT_GE(view.keys.size() * Count(kKvPageTokens), tokens.size());
    for (size_t position = 0; position < tokens.size(); ++position) {
      const size_t page = position / Count(kKvPageTokens);
      for (int64_t i = 0; i < kShape.kv_heads * kShape.head_size; ++i) {
        const int64_t head = i / kShape.head_size;
        const int64_t slot = static_cast<int64_t>(position) % kKvPageTokens;
        const int64_t at = (head * kKvPageTokens + slot) * kShape.head_size + i % kShape.head_size;
        float key = 0;
        float value = 0;
        std::memcpy(&key, view.keys[page] + at * 4, sizeof key);
        std::memcpy(&value, view.values[page] + at * 4, sizeof value);
        ASSERT_EQ(key, Mark(tokens[position], layer, 0, head, i % kShape.head_size)) << position;
        ASSERT_EQ(value, Mark(tokens[position], layer, 1, head, i % kShape.head_size)) << position;
      }
    }
  }
}

std::vector<int64_t> Numbers(int64_t count, int64_t first = 0) {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < count; ++i) numbers.push_back(first + i);
  return numbers;
}

int64_t BytesOfPages(int64_t pages) {
  return kShape.layers * pages * 2 * KvPageBytes(KvType::kF32, kShape.kv_heads, kShape.head_size);
}

PagedKv WithTokens(int64_t count) {
  PagedKv kv(kShape, KvType::kF32);
  if (count > 0) Append(kv, Numbers(count));
  return kv;
}

TEST(PagedKvTest, IsEmptyAtFirst) {
  const PagedKv kv(kShape, KvType::kF16);
  EXPECT_EQ(kv.length(), 0);
  EXPECT_EQ(kv.bytes(), 0);
  EXPECT_EQ(kv.type(), KvType::kF16);
  EXPECT_EQ(kv.shape(), kShape);
  EXPECT_TRUE(kv.View(0, 0).keys.empty());
}

TEST(PagedKvTest, APageOfF16HasHalfTheBytes) {
  EXPECT_EQ(KvPageBytes(KvType::kF32, 3, 4), 3 * 4 * 64 * 4);
  EXPECT_EQ(KvPageBytes(KvType::kF16, 3, 4), 3 * 4 * 64 * 2);
  PagedKv kv(kShape, KvType::kF16);
  kv.Reserve(65);
  kv.Advance(65);
  EXPECT_EQ(kv.bytes(), BytesOfPages(2) / 2);
}

TEST(PagedKvTest, KeepsWhatWasAppendedAcrossPageBorders) {
  for (const int64_t count : {1, 63, 64, 65, 127, 128, 129, 200}) {
    const PagedKv kv = WithTokens(count);
    ExpectTokens(kv, Numbers(count));
    EXPECT_EQ(kv.bytes(), BytesOfPages((count + 63) / 64)) << count;
  }
}

TEST(PagedKvTest, OneByOneIsTheSameAsAtOnce) {
  PagedKv kv(kShape, KvType::kF32);
  for (int64_t i = 0; i < 130; ++i) Append(kv, {i});
  ExpectTokens(kv, Numbers(130));
}

TEST(PagedKvTest, WhatWasReservedAndNotRememberedIsWrittenAgain) {
  PagedKv kv = WithTokens(60);
  kv.Reserve(100);
  EXPECT_EQ(kv.length(), 60);
  Append(kv, Numbers(10, 500));
  std::vector<int64_t> expected = Numbers(60);
  for (int64_t i = 500; i < 510; ++i) expected.push_back(i);
  ExpectTokens(kv, expected);
}

TEST(PagedKvTest, AForkSharesAllPagesUntilItWrites) {
  PagedKv kv = WithTokens(150);
  PagedKv fork = kv.Fork();
  ExpectTokens(fork, Numbers(150));
  const auto keys = [](const PagedKv& of) {
    const KvView view = of.View(1, of.length());
    return std::vector<const std::byte*>(view.keys.begin(), view.keys.end());
  };
  const auto original = keys(kv);
  EXPECT_EQ(keys(fork), original);
  EXPECT_EQ(fork.bytes(), BytesOfPages(3));

  Append(fork, {1000});
  EXPECT_EQ(keys(kv), original);  // the fork that writes gets the copy
  EXPECT_EQ(keys(fork)[0], original[0]);
  EXPECT_EQ(keys(fork)[1], original[1]);
  EXPECT_NE(keys(fork)[2], original[2]);
  ExpectTokens(kv, Numbers(150));

  Append(kv, {2000});
  EXPECT_EQ(keys(kv), original);  // alone by now, so nothing is copied
  std::vector<int64_t> expected = Numbers(150);
  expected.push_back(1000);
  ExpectTokens(fork, expected);
  expected.back() = 2000;
  ExpectTokens(kv, expected);
}

TEST(PagedKvTest, AForkAtAPageBorderSharesAllOfIt) {
  PagedKv kv = WithTokens(128);
  PagedKv fork = kv.Fork();
  Append(fork, {7});
  Append(kv, {8});
  EXPECT_EQ(fork.View(0, 0).keys[1], kv.View(0, 0).keys[1]);
  EXPECT_NE(fork.View(0, 0).keys[2], kv.View(0, 0).keys[2]);
}

TEST(PagedKvTest, AForkOutlivesItsOrigin) {
  PagedKv fork(kShape, KvType::kF32);
  {
    const PagedKv kv = WithTokens(100);
    fork = kv.Fork();
  }
  ExpectTokens(fork, Numbers(100));
  Append(fork, Numbers(100, 100));
  ExpectTokens(fork, Numbers(200));
}

TEST(PagedKvTest, TruncateForgetsAndFreesPages) {
  for (const int64_t kept : {0, 1, 63, 64, 65, 128, 129, 199, 200}) {
    PagedKv kv = WithTokens(200);
    kv.Truncate(kept);
    ExpectTokens(kv, Numbers(kept));
    EXPECT_EQ(kv.bytes(), BytesOfPages((kept + 63) / 64)) << kept;
    Append(kv, Numbers(100, kept));
    ExpectTokens(kv, Numbers(kept + 100));
  }
}

TEST(PagedKvTest, WritingBehindATruncationLeavesTheForkAsItWas) {
  PagedKv kv = WithTokens(200);
  const PagedKv fork = kv.Fork();
  kv.Truncate(70);
  Append(kv, Numbers(130, 5000));
  ExpectTokens(fork, Numbers(200));
}

constexpr KvTypes kMixed{.main = KvType::kQ8, .local = KvType::kBF16};

int64_t PageBytes(KvType type) { return 2 * KvPageBytes(type, kShape.kv_heads, kShape.head_size); }

TEST(PagedKvTest, AMemoryOfTwoTypesKeepsItsSinksAndItsLastPartInBoth) {
  PagedKv kv(kShape, kMixed);
  EXPECT_EQ(kv.type(), KvType::kQ8);
  const auto read = [&](int64_t tokens) {
    kv.Reserve(tokens);
    kv.Advance(tokens);
  };
  read(700);
  EXPECT_EQ(kv.ViewEnd(699), kKvPartTokens);
  EXPECT_FALSE(kv.View(0, 699).IsInMainType(0));
  EXPECT_FALSE(kv.View(0, 699).IsInMainType(10));
  EXPECT_EQ(kv.bytes(), 11 * 2 * (PageBytes(KvType::kQ8) + PageBytes(KvType::kBF16)));
  read(700);
  const KvView view = kv.View(1, 1399);
  EXPECT_FALSE(view.IsInMainType(0));
  EXPECT_TRUE(view.IsInMainType(1));
  EXPECT_TRUE(view.IsInMainType(15));
  EXPECT_FALSE(view.IsInMainType(16));
  EXPECT_EQ(view.TypeOf(15, KvType::kBF16), KvType::kQ8);
  EXPECT_EQ(view.TypeOf(16, KvType::kBF16), KvType::kBF16);
  read(1);
  EXPECT_EQ(kv.bytes(), 22 * 2 * PageBytes(KvType::kQ8) + (1 + 6) * 2 * PageBytes(KvType::kBF16));
}

TEST(PagedKvTest, AMemoryOfTwoTypesGoesBackToWhatItHasInBoth) {
  PagedKv kv(kShape, kMixed);
  const auto read = [&](int64_t tokens) {
    kv.Reserve(tokens);
    kv.Advance(tokens);
  };
  read(1000);
  read(100);
  EXPECT_EQ(kv.Fork().Truncate(1000), 1000);  // back over the last pass
  read(1);
  EXPECT_EQ(kv.Fork().Truncate(1050), 1050);
  EXPECT_EQ(kv.Fork().Truncate(1024), 1024);
  EXPECT_EQ(kv.Fork().Truncate(1000), 0);
  EXPECT_EQ(kv.Fork().Truncate(60), 60);  // the sinks stay
  read(2000);
  read(1);
  EXPECT_EQ(kv.Truncate(2000), 1024);
}

TEST(PagedKvTest, ALimitMovesTheOldestPartsToAFile) {
  const TempFolder folder;
  PagedKv kv(kShape, KvType::kF32);
  PagedKv unlimited(kShape, KvType::kF32);
  const int64_t limit = 3 * kKvPartPages * 2 * PageBytes(KvType::kF32);
  kv.Limit(limit, std::make_shared<SpillFile>(folder / "spill"));
  for (int64_t first = 0; first < 8000; first += 500) {
    Append(kv, Numbers(500, first));
    Append(unlimited, Numbers(500, first));
    // Two parts stay in RAM, and one layer of the parts in files is read at a time.
    EXPECT_LE(kv.resident_bytes() + kv.bytes() / 2,
              std::max(limit, 3 * kKvPartPages * 2 * PageBytes(KvType::kF32) + kv.bytes() / 2));
  }
  EXPECT_EQ(kv.bytes(), unlimited.bytes());
  EXPECT_LT(kv.resident_bytes(), unlimited.resident_bytes() / 2);
  EXPECT_EQ(unlimited.resident_bytes(), unlimited.bytes());
  EXPECT_FALSE(kv.IsResident(0));
  EXPECT_TRUE(kv.IsResident(7999));
  ExpectTokens(kv, Numbers(8000));
  // The file has no name, so it is gone however the process ends.
  EXPECT_TRUE(std::filesystem::is_empty(folder / "spill"));
  for (const int64_t layer : {0, 1}) {
    kv.PrefetchNextLayer(layer);
    kv.EndLayer(layer);
  }
  ExpectTokens(kv, Numbers(8000));
  // A page in the file is copied before it is written.
  PagedKv fork = kv.Fork();
  fork.Truncate(100);
  Append(fork, Numbers(50, 100000));
  ExpectTokens(kv, Numbers(8000));
  std::vector<int64_t> expected = Numbers(100);
  for (int64_t i = 100000; i < 100050; ++i) expected.push_back(i);
  ExpectTokens(fork, expected);
}

TEST(SpillFileTest, GivesBackTheDiskOfWhatNobodyHolds) {
  const TempFolder folder;
  SpillFile file(folder.path());
  const std::vector<std::byte> piece(100'000, std::byte{7});
  const std::vector<std::byte> other(5, std::byte{9});
  const std::vector<std::span<const std::byte>> pieces{piece, other, piece};
  SpillFile::Mapped first = file.Put(pieces);
  const SpillFile::Mapped second = file.Put(pieces);
  first = {};
  const SpillFile::Mapped third = file.Put(pieces);
  for (const SpillFile::Mapped& mapped : {second, third}) {
    ASSERT_EQ(mapped.bytes.size(), 200'005U);
    EXPECT_EQ(mapped.bytes.front(), std::byte{7});
    EXPECT_EQ(mapped.bytes[100'004], std::byte{9});
    EXPECT_EQ(mapped.bytes.back(), std::byte{7});
  }
}

TEST(SpillFileTest, AFolderThatCannotBeUsedIsAnError) {
  const TempFolder folder;
  WriteFile(folder / "file", "x");
  EXPECT_TRUE(Fails(Code::kIo, [&] { const SpillFile spill(folder / "file"); }));
}

TEST(PagedKvTest, RandomOperationsAgreeWithPlainLists) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  RecordProperty("seed", std::to_string(seed));
  std::mt19937 random(seed);
  struct Pair {
    PagedKv kv;
    std::vector<int64_t> tokens;
  };
  std::vector<Pair> pairs;
  pairs.push_back({.kv = PagedKv(kShape, KvType::kF32), .tokens = {}});
  // Marks must be exact in float, which holds for fewer than 2^24 / 48 tokens.
  int64_t next = 0;
  for (int step = 0; step < 4000; ++step) {
    const size_t chosen = random() % pairs.size();
    Pair& pair = pairs[chosen];
    const auto length = static_cast<int64_t>(pair.tokens.size());
    switch (random() % 8) {
      case 0:
        if (pairs.size() < 6) {
          Pair fork{.kv = pair.kv.Fork(), .tokens = pair.tokens};
          pairs.push_back(std::move(fork));
        }
        break;
      case 1:
        if (pairs.size() > 1) pairs.erase(pairs.begin() + static_cast<ptrdiff_t>(chosen));
        break;
      case 2: {
        const int64_t kept = length - (length > 0 ? static_cast<int64_t>(random() % 80) : 0);
        pair.kv.Truncate(std::max<int64_t>(0, kept));
        pair.tokens.resize(Count(std::max<int64_t>(0, kept)));
        break;
      }
      case 3:
        pair.kv.Reserve(static_cast<int64_t>(random() % 100));
        break;
      case 4:
        pair.kv.Truncate(length / 64 * 64);
        pair.tokens.resize(Count(length / 64 * 64));
        break;
      default: {
        if (length > 350) break;
        const int64_t count = 1 + static_cast<int64_t>(random() % (random() % 4 == 0 ? 90 : 3));
        const std::vector<int64_t> added = Numbers(count, next);
        next = (next + count) % 300000;
        Append(pair.kv, added);
        pair.tokens.insert(pair.tokens.end(), added.begin(), added.end());
      }
    }
    const Pair& checked = pairs[random() % pairs.size()];
    ASSERT_NO_FATAL_FAILURE(ExpectTokens(checked.kv, checked.tokens)) << "step " << step;
    if (step % 50 != 0) continue;
    for (const Pair& each : pairs) {
      ASSERT_NO_FATAL_FAILURE(ExpectTokens(each.kv, each.tokens)) << "step " << step;
    }
  }
}

TEST(PagedKvTest, DroppedPagesAreGoneAndTheRestStays) {
  PagedKv kv = WithTokens(400);
  EXPECT_EQ(kv.bytes(), BytesOfPages(7));
  kv.Drop(1, 2);
  EXPECT_EQ(kv.length(), 400);
  EXPECT_EQ(kv.dropped(), 128);
  EXPECT_EQ(kv.held(), 272);
  EXPECT_EQ(kv.bytes(), BytesOfPages(5));
  // The held tokens read as in a memory that never had the dropped ones.
  std::vector<int64_t> held = Numbers(64);
  for (const int64_t token : Numbers(208, 192)) held.push_back(token);
  PagedKv fork = kv.Fork();
  const auto expect_held = [&](const PagedKv& of) {
    for (int64_t layer = 0; layer < kShape.layers; ++layer) {
      const KvView view = of.View(layer, kv.length());
      for (size_t i = 0; i < held.size(); ++i) {
        float key = 0;
        const std::byte* const page = view.keys[i / Count(kKvPageTokens)];
        std::memcpy(&key, page + i % Count(kKvPageTokens) * 4 * kShape.head_size, sizeof key);
        ASSERT_EQ(key, Mark(held[i], layer, 0, 0, 0)) << i;
      }
    }
  };
  expect_held(kv);
  expect_held(fork);
  fork.Drop(1, 1);
  EXPECT_EQ(fork.dropped(), 192);
  expect_held(kv);
  // The memory goes back to before the dropped tokens and continues from there.
  kv.Truncate(300);
  EXPECT_EQ(kv.length(), 300);
  EXPECT_EQ(kv.held(), 172);
  kv.Truncate(50);
  EXPECT_EQ(kv.dropped(), 0);
  ExpectTokens(kv, Numbers(50));
}

}  // namespace
}  // namespace tome
