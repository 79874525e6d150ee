#include "tome/generate/verify_memory.h"

#include <algorithm>
#include <map>
#include <optional>

#include "tome/base/error.h"
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

// An empty memory of the kind that `root` belongs to, by each way of going beyond the model's
// length; nothing where it is another model's.
std::optional<Memory> MemoryOf(const SnapshotKey& root, KvType kv, const LanguageModel& model) {
  const int64_t trained = model.model().facts().trained_tokens;
  // The largest of a kind first: it holds whatever was kept.
  constexpr int64_t kMostTimes = 1024;
  std::vector<MemoryOptions> kinds;
  for (int64_t times = kMostTimes; times >= 1; times /= 2) {
    for (const std::optional<Longer> longer :
         {std::optional<Longer>(), std::optional(Longer::kNone), std::optional(Longer::kDca),
          std::optional(Longer::kYarn)}) {
      kinds.push_back({.kv = kv, .max_tokens = trained * times, .longer = longer});
    }
  }
  for (const MemoryOptions& options : kinds) {
    try {
      Memory memory = model.model().NewMemory(options);
      if (model.MemoryRoot(memory) == root) return memory;
    } catch (const Error& error) {
      // A way that this model does not go.
      if (error.code() != Code::kInvalidArgument) throw;
    }
  }
  return std::nullopt;
}

}  // namespace

VerifiedMemory VerifyMemories(SnapshotStore& store, const LanguageModel& model, int64_t samples,
                              const WorkControl& control) {
  std::map<SnapshotKey, SnapshotStore::Entry> entries;
  for (SnapshotStore::Entry& entry : store.List()) {
    const SnapshotKey key = entry.header.key;
    entries.emplace(key, std::move(entry));
  }
  std::vector<const SnapshotStore::Entry*> ours;
  for (const auto& [key, entry] : entries) {
    if (MemoryOf(entry.header.root, entry.header.kv.older, model)) ours.push_back(&entry);
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
    Memory memory = MemoryOf(entry->header.root, entry->header.kv.older, model).value();
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
