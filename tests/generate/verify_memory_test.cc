#include "tome/generate/verify_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"
#include "tome/generate/session.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = std::filesystem;

constexpr int64_t kAll = 1000;
// Two whole snapshots and a third one of 300 tokens.
constexpr size_t kTokens = 2 * kSnapshotTokens + 300;

class VerifyMemoryTest : public testing::Test {
 protected:
  void Load(const std::string& variant) { model_ = Open(variant); }

  std::unique_ptr<LanguageModel> Open(const std::string& variant) const {
    const fs::path path = folder_ / variant;
    WriteGoldenModel(variant, path);
    WriteLetterTokenizer(path);
    return LanguageModel::Open(path, 2);
  }

  SnapshotStore OpenStore() const { return {folder_ / "kept", int64_t{1} << 30}; }

  static std::vector<TokenId> Tokens(uint32_t seed = 5) {
    std::mt19937 random(seed);
    std::vector<TokenId> tokens(kTokens);
    for (TokenId& token : tokens) token = static_cast<TokenId>(random() % 63);
    return tokens;
  }

  SnapshotOwner OwnerOf(const Memory& memory) const {
    return {.root = model_->MemoryRoot(memory), .model = "m", .title = "t"};
  }

  // Reads tokens into a memory and keeps it, as answering a question does.
  void Read(const MemoryOptions& options, const std::vector<TokenId>& tokens) {
    SnapshotStore store = OpenStore();
    Session session(model_->model(), model_->tokenizer(), model_->compute(),
                    model_->model().NewMemory(options));
    session.UseStore(store, OwnerOf(session.memory()));
    session.Prefill(tokens, {});
  }

  // Keeps, as the memory of Tokens(), that of tokens which differ from them at one position.
  void KeepWithOtherToken(size_t position, KvType kv = KvType::kF32) {
    const std::vector<TokenId> tokens = Tokens();
    std::vector<TokenId> others = tokens;
    others[position] ^= 1;
    Memory memory = model_->model().NewMemory({.kv = kv, .max_tokens = 4096});
    LogitsInPasses(model_->model(), memory, others, 512, model_->compute());
    OpenStore().Keep(OwnerOf(memory), tokens, memory, SnapshotStore::Tail::kKept);
  }

  VerifiedMemory Verify(int64_t samples = kAll) {
    SnapshotStore store = OpenStore();
    return VerifyMemories(store, *model_, samples, {});
  }

  // Returns the file of the snapshot that begins at a position.
  fs::path FileAt(int64_t first) const {
    for (const auto& entry : OpenStore().List()) {
      if (entry.header.first == first) return entry.path;
    }
    ADD_FAILURE() << "no snapshot begins at " << first;
    return {};
  }

  static void Damage(const fs::path& path) {
    std::string bytes = FileBytes(path);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    WriteFile(path, bytes);
  }

  TempFolder folder_;
  std::unique_ptr<LanguageModel> model_;
};

TEST_F(VerifyMemoryTest, EverythingThatWasReadIsTheSameAgain) {
  Load("llama");
  int64_t kept = 0;
  for (const KvType kv : kKvTypes) {
    Read({.kv = kv, .max_tokens = 4096}, Tokens());
    kept += 3;
    const VerifiedMemory verified = Verify();
    EXPECT_EQ(verified.snapshots, kept) << NameOf(kv);
    EXPECT_EQ(verified.recomputed, kept) << NameOf(kv);
    EXPECT_THAT(verified.different, IsEmpty()) << NameOf(kv);
  }
}

TEST_F(VerifyMemoryTest, AMemoryOfOtherTokensIsFound) {
  Load("llama");
  for (const KvType kv : {KvType::kF32, KvType::kQ8}) {
    fs::remove_all(folder_ / "kept");
    KeepWithOtherToken(kTokens - 1, kv);
    const VerifiedMemory verified = Verify();
    EXPECT_EQ(verified.recomputed, 3);
    EXPECT_THAT(verified.different, ElementsAre(FileAt(2 * kSnapshotTokens))) << NameOf(kv);
  }
}

// A snapshot is computed from what is kept before it, so that it fails for its own faults alone.
TEST_F(VerifyMemoryTest, OnlyTheSnapshotWithTheFaultIsNamed) {
  Load("llama");
  KeepWithOtherToken(kSnapshotTokens + 500);
  const VerifiedMemory verified = Verify();
  EXPECT_EQ(verified.snapshots, 3);
  EXPECT_EQ(verified.recomputed, 3);
  EXPECT_THAT(verified.different, ElementsAre(FileAt(kSnapshotTokens)));
}

TEST_F(VerifyMemoryTest, TheLastSnapshotsAreVerifiedFirst) {
  Load("llama");
  KeepWithOtherToken(10);
  for (const int64_t samples : {1, 2}) {
    const VerifiedMemory verified = Verify(samples);
    EXPECT_EQ(verified.snapshots, 3);
    EXPECT_EQ(verified.recomputed, samples);
    EXPECT_THAT(verified.different, IsEmpty());
  }
  EXPECT_THAT(Verify(3).different, ElementsAre(FileAt(0)));
}

TEST_F(VerifyMemoryTest, DamagedFilesArePassedOverAndLeft) {
  Load("llama");
  Read({.kv = KvType::kF32, .max_tokens = 4096}, Tokens());
  const fs::path last = FileAt(2 * kSnapshotTokens);
  Damage(last);
  VerifiedMemory verified = Verify();
  EXPECT_EQ(verified.snapshots, 3);
  EXPECT_EQ(verified.recomputed, 2);
  EXPECT_THAT(verified.different, IsEmpty());
  EXPECT_TRUE(fs::exists(last));
  // Nothing after a damaged beginning can be computed from what is kept.
  const fs::path first = FileAt(0);
  Damage(first);
  verified = Verify();
  EXPECT_EQ(verified.recomputed, 0);
  EXPECT_THAT(verified.different, IsEmpty());
  EXPECT_TRUE(fs::exists(first));
}

TEST_F(VerifyMemoryTest, MemoriesOfOtherModelsArePassedOver) {
  Load("llama");
  Read({.kv = KvType::kF32, .max_tokens = 4096}, Tokens());
  model_ = Open("qwen2");
  EXPECT_EQ(Verify().snapshots, 0);
  Read({.kv = KvType::kF32, .max_tokens = 4096}, Tokens());
  EXPECT_EQ(Verify().snapshots, 3);
  EXPECT_EQ(Verify().recomputed, 3);
}

TEST_F(VerifyMemoryTest, MemoriesOfTextsBeyondTheModelsLengthAreItsOwn) {
  Load("llama");
  for (const ContextExtension longer : {ContextExtension::kDca, ContextExtension::kYarn}) {
    fs::remove_all(folder_ / "kept");
    Read({.kv = KvType::kF32, .max_tokens = 4096, .longer = longer}, Tokens());
    const VerifiedMemory verified = Verify();
    EXPECT_EQ(verified.recomputed, 3) << NameOf(longer);
    EXPECT_THAT(verified.different, IsEmpty()) << NameOf(longer);
  }
}

TEST_F(VerifyMemoryTest, StatesAreVerifiedToo) {
  for (const std::string variant : {"mamba", "jamba"}) {
    fs::remove_all(folder_ / "kept");
    Load(variant);
    Read({.max_tokens = 4096}, Tokens());
    const auto states = OpenStore().ListStates();
    ASSERT_FALSE(states.empty());
    const VerifiedMemory verified = Verify();
    // The snapshots of a model without attention hold tokens alone.
    const size_t pages = model_->model().facts().has_attention() ? OpenStore().List().size() : 0;
    EXPECT_EQ(verified.snapshots, std::ssize(states) + static_cast<int64_t>(pages)) << variant;
    EXPECT_EQ(verified.recomputed, verified.snapshots) << variant;
    EXPECT_THAT(verified.different, IsEmpty()) << variant;

    fs::remove_all(folder_ / "kept");
    KeepWithOtherToken(kTokens - 1, model_->model().facts().kv_type);
    std::vector<fs::path> wrong;
    for (const auto& state : OpenStore().ListStates()) wrong.push_back(state.path);
    ASSERT_EQ(wrong.size(), 1U) << "the state after the last token";
    if (pages > 0) wrong.push_back(FileAt(2 * kSnapshotTokens));
    EXPECT_THAT(Verify().different, testing::UnorderedElementsAreArray(wrong)) << variant;
  }
}

TEST_F(VerifyMemoryTest, ReportsItsWorkAndStops) {
  Load("llama");
  Read({.kv = KvType::kF32, .max_tokens = 4096}, Tokens());
  SnapshotStore store = OpenStore();
  std::vector<std::pair<uint64_t, uint64_t>> reports;
  std::stop_source source;
  const WorkControl control{.stop = source.get_token(),
                            .progress = [&](std::string_view, uint64_t done, uint64_t total) {
                              reports.emplace_back(done, total);
                              if (reports.size() == 4) source.request_stop();
                            }};
  VerifyMemories(store, *model_, 2, control);
  EXPECT_THAT(reports, ElementsAre(std::pair(0, 2), std::pair(1, 2)));
  EXPECT_TRUE(Fails(Code::kCancelled, [&] { VerifyMemories(store, *model_, kAll, control); }));
  EXPECT_EQ(reports.size(), 4U);
}

}  // namespace
}  // namespace tome
