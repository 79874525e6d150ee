#include "tome/generate/verify_memory.h"

#include <algorithm>
#include <map>

#include "tome/base/mapped_file.h"

namespace tome {
namespace {

// Whether a snapshot has the pages of a memory, bit for bit.
bool IsOf(const PagedKv& kv, const Snapshot& snapshot) {
  for (const bool recent : {false, true}) {
    auto stored = recent ? snapshot.recent : snapshot.pages;
    std::vector<std::vector<std::byte>> copies;
    for (const auto& piece : PiecesOf(kv, recent, snapshot.header.first,
                                      static_cast<int64_t>(snapshot.tokens.size()), copies)) {
      if (piece.size() > stored.size() || !std::ranges::equal(piece, stored.first(piece.size()))) {
        return false;
      }
      stored = stored.subspan(piece.size());
    }
    if (!stored.empty()) return false;
  }
  return true;
}

}  // namespace

VerifiedMemory VerifyMemories(SnapshotStore& store, const LanguageModel& model, int64_t samples,
                              const WorkControl& control) {
  std::map<SnapshotKey, SnapshotStore::Entry> entries;
  for (SnapshotStore::Entry& entry : store.List()) {
    const SnapshotKey key = entry.header.key;
    entries.emplace(key, std::move(entry));
  }
  const auto new_memory = [&](KvType kv) {
    return model.model().NewMemory({.kv = kv, .max_tokens = model.model().facts().trained_tokens});
  };
  std::vector<const SnapshotStore::Entry*> ours;
  for (const auto& [key, entry] : entries) {
    if (entry.header.root == model.MemoryRoot(new_memory(entry.header.kv.older)))
      ours.push_back(&entry);
  }
  std::sort(ours.begin(), ours.end(), [](const auto* a, const auto* b) {
    return a->header.first != b->header.first ? a->header.first > b->header.first
                                              : a->header.key < b->header.key;
  });
  VerifiedMemory result{
      .snapshots = static_cast<int64_t>(ours.size()), .recomputed = 0, .different = {}};
  const auto total = static_cast<uint64_t>(std::min(samples, result.snapshots));
  for (const SnapshotStore::Entry* entry : ours) {
    if (result.recomputed == samples) break;
    control.CheckStop();
    control.Report("verifying", static_cast<uint64_t>(result.recomputed), total);
    // The tokens of its chain, from the first snapshot on.
    std::vector<std::vector<TokenId>> parts;
    bool complete = true;
    for (const SnapshotStore::Entry* at = entry;;) {
      const MappedFile file(at->path);
      const Snapshot snapshot = ParseSnapshot(file.bytes());
      complete = snapshot.IsIntact();
      if (!complete) break;
      parts.push_back(snapshot.tokens);
      if (at->header.first == 0) break;
      const auto parent = entries.find(at->header.parent);
      complete = parent != entries.end();
      if (!complete) break;
      at = &parent->second;
    }
    if (!complete) continue;
    std::vector<TokenId> before;
    for (size_t i = parts.size() - 1; i > 0; --i) {
      before.insert(before.end(), parts[i].begin(), parts[i].end());
    }
    Memory memory = new_memory(entry->header.kv.older);
    const SnapshotOwner owner{.root = entry->header.root, .model = {}, .title = {}};
    const int64_t restored = store.Restore(owner, before, memory, model.compute().threads);
    if (restored != static_cast<int64_t>(before.size())) continue;  // damaged: removed just now
    const BatchItem item{.memory = &memory, .tokens = parts.front(), .logits = LogitsOf::kNone};
    model.model().Forward({&item, 1}, model.compute());
    const MappedFile file(entry->path);
    const Snapshot kept = ParseSnapshot(file.bytes());
    if (!IsOf(memory.kv(), kept)) result.different.push_back(entry->path);
    ++result.recomputed;
  }
  return result;
}

}  // namespace tome
