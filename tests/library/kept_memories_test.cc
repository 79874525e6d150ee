#include "tome/library/kept_memories.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/temp_folder.h"
#include "tome/base/thread_pool.h"
#include "tome/memory/snapshot_store.h"

namespace tome {
namespace {

constexpr int64_t kPlenty = int64_t{1} << 40;

DocumentRecord RecordWith(DocumentId id, const std::string& hash, const std::string& path) {
  DocumentRecord record;
  record.id = id;
  record.hash = hash;
  record.paths = {path};
  return record;
}

const DocumentRecord kA = RecordWith(1, "aaaa", "/home/me/a.txt");
const DocumentRecord kB = RecordWith(2, "bbbb", "/home/me/b.txt");

class KeptMemoriesTest : public testing::Test {
 protected:
  using Tokens = std::vector<TokenId>;

  SnapshotStore Open() const { return {folder_ / "kept", kPlenty}; }

  // Returns the tokens of whole snapshots, one for each letter.
  static Tokens Text(const std::string& letters) {
    Tokens tokens;
    for (const char letter : letters) tokens.insert(tokens.end(), kSnapshotTokens, letter);
    return tokens;
  }

  static Memory NewMemory() {
    return {Recurrent({.layers = 1, .window = 2, .state = 8}), std::nullopt, kPlenty, {}, 0};
  }

  void Keep(const std::string& letters, const std::string& title,
            const std::vector<std::string>& documents) const {
    const Tokens tokens = Text(letters);
    Memory memory = NewMemory();
    memory.Reserve(std::ssize(tokens));
    const Recurrent::NextLayer next = memory.recurrent().Next(0);
    std::ranges::fill(next.window, 1.0F);
    std::ranges::fill(next.state, 2.0F);
    memory.Advance(std::ssize(tokens));
    SnapshotStore store = Open();
    store.Keep(
        {.root = {.high = 1, .low = 2}, .model = "m", .title = title, .documents = documents},
        tokens, memory, SnapshotStore::Tail::kKept);
    ASSERT_EQ(store.report().failure, "");
  }

  // Returns the number of snapshots of a text that can be restored.
  int64_t Kept(const std::string& letters) const {
    SnapshotStore store = Open();
    Memory memory = NewMemory();
    ThreadPool threads(1);
    return store.Restore({.root = {.high = 1, .low = 2}, .model = {}, .title = {}}, Text(letters),
                         memory, threads) /
           kSnapshotTokens;
  }

  size_t Files() const {
    return static_cast<size_t>(
        std::distance(std::filesystem::directory_iterator(folder_ / "kept"), {}));
  }

  int64_t Remove(const DocumentRecord& document, const std::vector<DocumentRecord>& staying) const {
    const int64_t before = Open().bytes();
    const int64_t freed = RemoveMemoriesOf(document, staying, folder_ / "kept");
    EXPECT_EQ(Open().bytes(), before - freed);
    return freed;
  }

  TempFolder folder_;
};

TEST_F(KeptMemoriesTest, GoWithTheirDocumentAlone) {
  Keep("xa", "a.txt", {"aaaa"});
  Keep("yb", "b.txt", {"bbbb"});
  EXPECT_GT(Remove(kA, {kB}), 0);
  EXPECT_EQ(Kept("xa"), 0);
  EXPECT_EQ(Kept("yb"), 2);
  EXPECT_EQ(Files(), 3U);
  EXPECT_EQ(Remove(kA, {kB}), 0);
  EXPECT_GT(Remove(kB, {}), 0);
  EXPECT_EQ(Files(), 0U);
}

TEST_F(KeptMemoriesTest, OfSeveralDocumentsGoWithEachOfThem) {
  Keep("a", "a.txt", {"aaaa"});
  Keep("ab", "a.txt, b.txt", {"aaaa", "bbbb"});  // begins with the text of the other memory
  EXPECT_GT(Remove(kB, {kA}), 0);
  EXPECT_EQ(Kept("ab"), 1);
  EXPECT_EQ(Files(), 2U);
  Keep("ab", "a.txt, b.txt", {"aaaa", "bbbb"});
  EXPECT_GT(Remove(kA, {kB}), 0);
  EXPECT_EQ(Files(), 0U);
}

TEST_F(KeptMemoriesTest, OfEarlierContentsGoToo) {
  // The file changed twice. Contents that begin alike share the snapshots of that beginning.
  Keep("xyo", "/old/place/a.txt", {"0000"});
  Keep("xyz", "a.txt", {"aaaa"});
  Keep("q", "a.txt", {"1111"});
  Keep("b", "b.txt", {"bbbb"});
  Remove(kA, {kB});
  EXPECT_EQ(Files(), 2U);
  EXPECT_EQ(Kept("b"), 1);
}

TEST_F(KeptMemoriesTest, ABeginningThatWasReadUnderAnotherNameGoesToo) {
  Keep("xyo", "was.txt", {"0000"});
  Keep("xyz", "a.txt", {"aaaa"});
  Remove(kA, {kB});
  EXPECT_EQ(Files(), 0U);
}

TEST_F(KeptMemoriesTest, ABeginningThatBelongsToAnotherStays) {
  Keep("xyo", "b.txt", {"bbbb"});
  Keep("xyz", "a.txt", {"aaaa"});
  Remove(kA, {kB});
  EXPECT_EQ(Kept("xyo"), 3);
  EXPECT_EQ(Files(), 4U);
}

TEST_F(KeptMemoriesTest, ThoseThatNameNoDocumentsAreToldByTheirTitle) {
  Keep("1", "a.txt", {});
  Keep("2", "../me/a.txt", {});
  Keep("3", "b.txt, me/a.txt, c.txt", {});
  Keep("4", "b.txt", {});
  Keep("5", "aa.txt", {});
  Keep("6", "a.txt.old", {});
  Keep("7", "#1", {});
  Keep("8", "#12", {});
  Remove(kA, {kB});
  for (const char* gone : {"1", "2", "3", "7"}) EXPECT_EQ(Kept(gone), 0) << gone;
  for (const char* left : {"4", "5", "6", "8"}) EXPECT_EQ(Kept(left), 1) << left;
}

TEST_F(KeptMemoriesTest, WhatCannotBeToldGoes) {
  Keep("b", "b.txt", {"bbbb"});
  const std::string name(32, '1');
  WriteFile(folder_ / "kept" / (name + "-" + name + ".safetensors"), "of whom?");
  WriteFile(folder_ / "kept" / (name + ".state.safetensors"), "of whom?");
  WriteFile(folder_ / "kept" / "notes.txt", "not ours");
  EXPECT_EQ(Remove(kA, {kB}), 16);
  EXPECT_EQ(Files(), 3U);
  EXPECT_EQ(Kept("b"), 1);
}

}  // namespace
}  // namespace tome
