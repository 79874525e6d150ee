#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/memory/write_kv.h"
#include "tests/scoped_file_limit.h"
#include "tests/temp_folder.h"
#include "tome/memory/snapshot_store.h"
#include "tome/memory/state_positions.h"

namespace tome {
namespace {

constexpr int64_t kPlenty = int64_t{1} << 40;

TEST(StatePositionsTest, StepsAreWholeSegments) {
  for (const int64_t segment : {0, 1, 7, 100, 1000, 2047, 2048, 4096, 20'000}) {
    const int64_t step = StateStep(segment);
    EXPECT_GE(step, kLeastStateStep);
    EXPECT_LT(step, kLeastStateStep + std::max<int64_t>(segment, 1));
    if (segment > 0) {
      EXPECT_EQ(step % segment, 0);
    }
  }
  EXPECT_EQ(StateStep(2048), kLeastStateStep);
  EXPECT_EQ(StatePositionBefore(4095, 2048), 2048);
  EXPECT_EQ(StatePositionBefore(4095, 0), 4095);
}

// Checks the promises of state_positions.h for every length and every place of a change.
TEST(StatePositionsTest, ChangesNearTheEndCostLittleAndStatesAreFew) {
  constexpr int64_t kStep = kLeastStateStep;
  std::vector<int64_t> before;
  for (int64_t steps = 1; steps <= 300; ++steps) {
    std::vector<int64_t> kept{0};
    for (int64_t at = 1; at <= steps; ++at) {
      if (KeepsState(at * kStep, steps * kStep, kStep)) kept.push_back(at);
    }
    EXPECT_EQ(kept.back(), steps);
    EXPECT_EQ(std::ssize(kept) - 1, CountStates(steps * kStep, 0));
    EXPECT_EQ(std::ssize(kept), CountStates(steps * kStep + 5, 0));
    EXPECT_LE(static_cast<double>(kept.size()), 2 * std::log2(steps) + 3);
    for (int64_t change = 1; change <= steps; ++change) {
      const int64_t restored = *std::prev(std::ranges::upper_bound(kept, steps - change));
      EXPECT_TRUE(steps - restored < 4 * change || steps - restored <= 2) << steps << " " << change;
    }
    // A state that was given up is never wanted again.
    for (const int64_t at : kept) {
      EXPECT_TRUE(at == steps || std::ranges::binary_search(before, at) || at == 0);
    }
    before = kept;
  }
}

enum class Kind { kStates, kStatesAndPages, kSegments, kOddSegments };

// Reader stands in for a model with recurrent layers. Its state, keys and values are hashes of all
// tokens so far.
class Reader {
 public:
  explicit Reader(Kind kind) : kind_(kind) {}

  int64_t segment() const {
    return kind_ == Kind::kSegments ? 512 : kind_ == Kind::kOddSegments ? 1000 : 0;
  }

  Memory NewMemory() const {
    std::optional<PagedKv> kv;
    if (kind_ != Kind::kStates) kv.emplace(kKv, KvType::kF32);
    return {Recurrent(kShape), std::move(kv), kPlenty, {}, segment()};
  }

  void Read(std::span<const TokenId> tokens, Memory& memory) const {
    for (size_t at = 0; at < tokens.size();) {
      size_t count = tokens.size() - at;
      if (segment() > 0) {
        count = std::min(count, static_cast<size_t>(segment() - memory.kv().length()));
      }
      ReadPiece(tokens.subspan(at, count), memory);
      at += count;
      if (segment() > 0 && memory.kv().length() == segment()) memory.kv().Truncate(0);
    }
  }

  // Returns everything that a memory's next token sees.
  static std::vector<std::byte> Content(const Memory& memory) {
    std::vector<std::byte> content;
    for (const auto& piece : PiecesOf(memory.recurrent())) {
      content.insert(content.end(), piece.begin(), piece.end());
    }
    if (!memory.has_kv()) return content;
    const PagedKv& kv = memory.kv();
    for (int64_t first = 0; first < kv.length(); first += kKvPageTokens) {
      const auto bytes = kv.PageBytes(0, first / kKvPageTokens);
      const size_t begin = content.size();
      content.insert(content.end(), bytes.begin(), bytes.end());
      kv.ClearSlots(kv.type(), std::min(kKvPageTokens, kv.length() - first), &content[begin]);
    }
    return content;
  }

  static constexpr RecurrentShape kShape{.layers = 2, .window = 3, .state = 20};

 private:
  static constexpr KvShape kKv{.layers = 1, .kv_heads = 1, .head_size = 2};

  // Reads tokens of one segment.
  void ReadPiece(std::span<const TokenId> tokens, Memory& memory) const {
    const auto count = static_cast<int64_t>(tokens.size());
    memory.Reserve(count);
    std::vector<float> values;
    for (int64_t layer = 0; layer < kShape.layers; ++layer) {
      const Recurrent::LayerView before = memory.recurrent().View(layer);
      // Numbers are small, so that they are exact in float.
      auto hash = static_cast<uint32_t>(before.state[0]);
      values.clear();
      for (const TokenId token : tokens) {
        hash = ((hash ^ static_cast<uint32_t>(token + layer)) * 2654435761U + 12345U) >> 12U;
        values.insert(values.end(), 2, static_cast<float>(hash));
      }
      const Recurrent::NextLayer next = memory.recurrent().Next(layer);
      std::ranges::fill(next.window, static_cast<float>(tokens.back()));
      std::ranges::fill(next.state, static_cast<float>(hash));
    }
    if (memory.has_kv()) WriteKv(memory.kv(), 0, values, values, threads_);
    memory.Advance(count);
  }

  Kind kind_;
  mutable ThreadPool threads_{2};
};

const SnapshotOwner kOwner{.root = {.high = 1, .low = 2}, .model = "m", .title = "t"};

class StateStoreTest : public testing::TestWithParam<Kind> {
 protected:
  SnapshotStore Open(int64_t max_bytes = kPlenty) const { return {folder_ / "kept", max_bytes}; }

  std::vector<TokenId> RandomTokens(int64_t count) {
    std::vector<TokenId> tokens(static_cast<size_t>(count));
    for (TokenId& token : tokens) token = static_cast<TokenId>(random_() % 1000);
    return tokens;
  }

  // Reads a text from the beginning and keeps its states at these positions.
  void ReadAndKeep(std::span<const TokenId> tokens, const std::vector<int64_t>& positions) {
    SnapshotStore store = Open();
    Memory memory = reader_.NewMemory();
    for (const int64_t position : positions) {
      const auto read = static_cast<size_t>(memory.length());
      reader_.Read(tokens.first(static_cast<size_t>(position)).subspan(read), memory);
      store.Keep(kOwner, tokens.first(static_cast<size_t>(position)), memory,
                 SnapshotStore::Tail::kKept);
    }
    ASSERT_EQ(store.report().failure, "");
    kept_bytes_ = store.report().kept_bytes;
  }

  // Restores the tokens that a new store has and compares the memory with reading them.
  int64_t ExpectRestored(std::span<const TokenId> tokens) {
    SnapshotStore store = Open();
    Memory memory = reader_.NewMemory();
    const int64_t foreseen = store.CountStored(kOwner.root, tokens, memory);
    const int64_t count = store.Restore(kOwner, tokens, memory, threads_);
    EXPECT_EQ(memory.length(), count);
    if (store.report().damaged == 0) {
      EXPECT_EQ(foreseen, count);
    }
    Memory expected = reader_.NewMemory();
    reader_.Read(tokens.first(static_cast<size_t>(count)), expected);
    EXPECT_TRUE(Reader::Content(memory) == Reader::Content(expected)) << count << " tokens";
    return count;
  }

  std::filesystem::path StateFile(int64_t position) const {
    for (const auto& entry : Open().ListStates()) {
      if (entry.header.position == position) return entry.path;
    }
    ADD_FAILURE() << "no state at " << position;
    return {};
  }

  Reader reader_{GetParam()};
  const int64_t step_ = StateStep(reader_.segment());
  ThreadPool threads_{2};
  std::mt19937 random_{7};
  int64_t kept_bytes_ = 0;  // as the store reported
  TempFolder folder_;
};

TEST_P(StateStoreTest, GivesBackTheLastStateOfWhatIsTheSame) {
  const int64_t end = 2 * step_ + 5 * std::max<int64_t>(reader_.segment(), 512);
  std::vector<TokenId> tokens = RandomTokens(end + 100);
  ReadAndKeep(tokens, {step_, 2 * step_, end});
  EXPECT_EQ(ExpectRestored(tokens), end);
  EXPECT_EQ(ExpectRestored(std::span(tokens).first(end)), end);
  EXPECT_EQ(ExpectRestored(std::span(tokens).first(end - 1)), 2 * step_);
  for (const auto& [changed, left] : {std::pair{end, end},
                                      {end - 1, 2 * step_},
                                      {2 * step_, 2 * step_},
                                      {2 * step_ - 1, step_},
                                      {step_ - 1, int64_t{0}},
                                      {int64_t{0}, int64_t{0}}}) {
    std::vector<TokenId> other = tokens;
    other[static_cast<size_t>(changed)] += 1;
    EXPECT_EQ(ExpectRestored(other), left) << changed;
  }
  // A longer text has whole snapshots where the end of the first text was.
  std::vector<TokenId> longer(tokens.begin(), tokens.begin() + end);
  const std::vector<TokenId> more = RandomTokens(2 * step_);
  longer.insert(longer.end(), more.begin(), more.end());
  EXPECT_EQ(ExpectRestored(longer), end);
  ReadAndKeep(longer, {3 * step_});
  EXPECT_EQ(ExpectRestored(longer), 3 * step_);
  EXPECT_EQ(ExpectRestored(tokens), end);
}

TEST_P(StateStoreTest, FewStatesAreLeftOfALongText) {
  std::vector<int64_t> positions;
  for (int64_t at = 1; at <= 21; ++at) positions.push_back(at * step_);
  const std::vector<TokenId> tokens = RandomTokens(21 * step_);
  ReadAndKeep(tokens, positions);
  std::vector<int64_t> kept;
  for (const auto& entry : Open().ListStates()) kept.push_back(entry.header.position / step_);
  EXPECT_EQ(kept, (std::vector<int64_t>{8, 16, 18, 20, 21}));
  EXPECT_EQ(std::ssize(kept), CountStates(21 * step_, reader_.segment()));
  EXPECT_EQ(kept_bytes_, Open().bytes());
  EXPECT_EQ(ExpectRestored(std::span(tokens).first(17 * step_)), 16 * step_);
}

TEST_P(StateStoreTest, DamagedFilesAreRemovedAndTheStateBeforeIsUsed) {
  const std::vector<TokenId> tokens = RandomTokens(2 * step_ + 1);
  for (int round = 0; round < 60; ++round) {
    ReadAndKeep(tokens, {step_, 2 * step_});
    const std::filesystem::path victim = StateFile(2 * step_);
    std::string bytes = FileBytes(victim);
    switch (round % 4) {
      case 0:  // headers, where every bit counts
        bytes[random_() % 400] ^= static_cast<char>(1U << random_() % 8);
        break;
      case 1:
        bytes[random_() % bytes.size()] ^= static_cast<char>(1U << random_() % 8);
        break;
      case 2:
        bytes.resize(random_() % bytes.size());
        break;
      default:  // another file's content
        bytes = FileBytes(StateFile(step_));
    }
    WriteFile(victim, bytes);
    EXPECT_EQ(Open().FindDamaged({}), std::vector{victim});
    EXPECT_EQ(ExpectRestored(tokens), step_);
    EXPECT_FALSE(std::filesystem::exists(victim)) << "round " << round;
  }
  // Without the snapshots between, later states cannot be reached.
  ReadAndKeep(tokens, {step_, 2 * step_});
  for (const auto& entry : Open().List()) {
    if (entry.header.first > step_ && entry.header.first < step_ + 2 * kSnapshotTokens) {
      std::filesystem::remove(entry.path);
    }
  }
  EXPECT_EQ(ExpectRestored(tokens), step_);
  ReadAndKeep(tokens, {2 * step_});
  EXPECT_EQ(ExpectRestored(tokens), 2 * step_);
}

TEST_P(StateStoreTest, StatesCountAndGoWithTheRest) {
  const std::vector<TokenId> tokens = RandomTokens(step_);
  ReadAndKeep(tokens, {step_});
  int64_t bytes = 0;
  {
    const SnapshotStore store = Open();
    for (const auto& entry : store.List()) bytes += entry.bytes;
    for (const auto& entry : store.ListStates()) bytes += entry.bytes;
    EXPECT_EQ(store.bytes(), bytes);
  }
  // The oldest file is removed to make room for others.
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(5);
  std::filesystem::last_write_time(StateFile(step_), old);
  {
    SnapshotStore store = Open(bytes + 100);
    const std::vector<TokenId> other = RandomTokens(std::max<int64_t>(reader_.segment(), 512));
    Memory memory = reader_.NewMemory();
    reader_.Read(other, memory);
    store.Keep(kOwner, other, memory, SnapshotStore::Tail::kKept);
    EXPECT_LE(store.bytes(), bytes + 2000);
  }
  EXPECT_EQ(ExpectRestored(tokens), 0);
  EXPECT_GT(Open().Remove({kOwner.root}), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "kept"));
}

TEST(StateWriteTest, OneThatFailsMidwayLosesTheStateAlone) {
  constexpr RecurrentShape kShape{.layers = 2, .window = 4, .state = 20'000};
  const TempFolder folder;
  const std::vector<TokenId> tokens(2 * kSnapshotTokens, 7);
  Memory memory(Recurrent(kShape), std::nullopt, kPlenty, {}, 0);
  ThreadPool threads(1);
  const auto read = [&](float mark) {
    memory.Reserve(kSnapshotTokens);
    for (int64_t layer = 0; layer < kShape.layers; ++layer) {
      const Recurrent::NextLayer next = memory.recurrent().Next(layer);
      std::ranges::fill(next.window, mark);
      std::ranges::fill(next.state, mark);
    }
    memory.Advance(kSnapshotTokens);
  };
  const auto restored = [&] {
    SnapshotStore store(folder / "kept", kPlenty);
    Memory found(Recurrent(kShape), std::nullopt, kPlenty, {}, 0);
    return store.Restore(kOwner, tokens, found, threads);
  };
  read(1);
  SnapshotStore store(folder / "kept", kPlenty);
  store.Keep(kOwner, std::span(tokens).first(kSnapshotTokens), memory, SnapshotStore::Tail::kKept);
  ASSERT_EQ(store.report().failure, "");
  const int64_t before = store.bytes();
  read(2);
  {
    const ScopedFileLimit limit(100'000);
    store.Keep(kOwner, tokens, memory, SnapshotStore::Tail::kKept);
  }
  EXPECT_NE(store.report().failure, "");
  EXPECT_EQ(store.ListStates().size(), 1U);
  EXPECT_EQ(store.List().size(), 2U);  // the tokens had room
  // No half-written file is left, and the existing files are counted.
  int64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "kept")) {
    EXPECT_EQ(entry.path().extension(), ".safetensors") << entry.path();
    bytes += static_cast<int64_t>(entry.file_size());
  }
  EXPECT_EQ(store.bytes(), bytes);
  EXPECT_EQ(store.report().kept_bytes, bytes);
  EXPECT_GT(bytes, before);
  EXPECT_EQ(restored(), kSnapshotTokens);
  // The memory is unchanged, and the next store keeps it.
  SnapshotStore next(folder / "kept", kPlenty);
  next.Keep(kOwner, tokens, memory, SnapshotStore::Tail::kKept);
  EXPECT_EQ(next.report().failure, "");
  EXPECT_EQ(restored(), 2 * kSnapshotTokens);
}

INSTANTIATE_TEST_SUITE_P(Kinds, StateStoreTest,
                         testing::Values(Kind::kStates, Kind::kStatesAndPages, Kind::kSegments,
                                         Kind::kOddSegments),
                         [](const testing::TestParamInfo<Kind>& kind) {
                           switch (kind.param) {
                             case Kind::kStates:
                               return "States";
                             case Kind::kStatesAndPages:
                               return "StatesAndPages";
                             case Kind::kSegments:
                               return "Segments";
                             default:
                               return "OddSegments";
                           }
                         });

}  // namespace
}  // namespace tome
