#include "tome/generate/verify_memory.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/mapped_file.h"
#include "tome/generate/session.h"

namespace tome {
namespace {

// Returns whether a snapshot has the pages of a memory, bit for bit.
bool IsOf(const PagedKv& kv, const Snapshot& snapshot) {
  for (const PageType type : {PageType::kMain, PageType::kLocal}) {
    auto stored = type == PageType::kLocal ? snapshot.local : snapshot.pages;
    std::vector<std::vector<std::byte>> copies;
    for (const auto& piece : PiecesOf(kv, type, snapshot.header.first,
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

// Returns whether a kept state is a memory's, bit for bit.
bool IsOf(const Recurrent& states, const StateSnapshot& snapshot) {
  auto stored = snapshot.states;
  for (const auto& piece : PiecesOf(states)) {
    if (piece.size() > stored.size() || !std::ranges::equal(piece, stored.first(piece.size()))) {
      return false;
    }
    stored = stored.subspan(piece.size());
  }
  return stored.empty();
}

// Returns an empty memory of the kind that `root` belongs to, trying each method for texts beyond
// the model's length. Empty where `root` is another model's.
std::optional<Memory> MemoryOf(const SnapshotKey& root, KvType kv, const LanguageModel& model) {
  const int64_t trained = model.model().facts().trained_tokens;
  // The largest memory of a kind comes first, because it holds whatever was kept.
  constexpr int64_t kMostTimes = 1024;
  std::vector<MemoryOptions> kinds{{.kv = kv, .max_tokens = trained * kMostTimes}};
  // A model with recurrent layers has no other kinds.
  const bool others = !model.model().facts().has_recurrent();
  for (int64_t times = kMostTimes; others && times >= 1; times /= 2) {
    for (const std::optional<ContextExtension> longer :
         {std::optional<ContextExtension>(), std::optional(ContextExtension::kNone),
          std::optional(ContextExtension::kDca), std::optional(ContextExtension::kYarn)}) {
      kinds.push_back({.kv = kv, .max_tokens = trained * times, .longer = longer});
    }
  }
  for (const MemoryOptions& options : kinds) {
    try {
      Memory memory = model.model().NewMemory(options);
      if (model.MemoryRoot(memory) == root) return memory;
    } catch (const Error& error) {
      // This model does not go with that method.
      if (error.code() != Code::kInvalidArgument) throw;
    }
  }
  return std::nullopt;
}

// The end of a kept run of tokens that can be computed anew: a snapshot's pages, or the state after
// it.
struct Sample {
  std::filesystem::path path;
  SnapshotKey root;
  SnapshotKey key;       // of the snapshot that ends there
  int64_t position = 0;  // where it ends
  bool is_state = false;
  KvType kv = KvType::kF16;
};

class Verification {
 public:
  Verification(SnapshotStore& store, const LanguageModel& model) : store_(store), model_(model) {
    for (auto& entry : store.List()) {
      const SnapshotKey key = entry.header.key;
      entries_.emplace(key, std::move(entry));
    }
  }

  // Returns the snapshots and states that this model can have made, later positions first.
  std::vector<Sample> Samples() {
    std::vector<Sample> samples;
    for (const auto& [key, entry] : entries_) {
      const SnapshotHeader& header = entry.header;
      if (header.shape.layers == 0) continue;  // it holds tokens alone, for the state after them
      if (!IsOurs(header.root, header.kv.main)) continue;
      samples.push_back({.path = entry.path,
                         .root = header.root,
                         .key = key,
                         .position = header.first + entry.tokens,
                         .kv = header.kv.main});
    }
    for (const auto& entry : store_.ListStates()) {
      const StateHeader& header = entry.header;
      const auto kv =
          std::ranges::find_if(kKvTypes, [&](KvType type) { return IsOurs(header.root, type); });
      if (kv == std::end(kKvTypes)) continue;
      samples.push_back({.path = entry.path,
                         .root = header.root,
                         .key = header.key,
                         .position = header.position,
                         .is_state = true,
                         .kv = *kv});
    }
    std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) {
      return std::tie(b.position, a.key, a.is_state) < std::tie(a.position, b.key, b.is_state);
    });
    return samples;
  }

  // Returns whether a sample is what the model computes after what is kept of the earlier tokens.
  // Empty where those are not there any more.
  std::optional<bool> IsWhatIsComputed(const Sample& sample) {
    const auto tokens = TokensTo(sample.key);
    if (!tokens || !IsAsWritten(sample, std::ssize(*tokens))) return std::nullopt;
    const auto end = entries_.find(sample.key);
    // Restores all tokens before a snapshot, or before a state all but the last one.
    const auto before =
        static_cast<size_t>(sample.is_state ? sample.position - 1 : end->second.header.first);
    std::optional<Memory> ours = MemoryOf(sample.root, sample.kv, model_);
    TOME_CHECK(ours.has_value());
    Memory& memory = *ours;
    const SnapshotOwner owner{.root = sample.root, .model = {}, .title = {}};
    const int64_t restored =
        store_.Restore(owner, std::span(*tokens).first(before), memory, model_.compute().threads);
    if (!sample.is_state && !memory.has_recurrent() && restored != static_cast<int64_t>(before)) {
      return std::nullopt;  // damaged
    }
    auto left = std::span<const TokenId>(*tokens).subspan(static_cast<size_t>(restored));
    while (!left.empty()) {
      const auto now = left.first(std::min(left.size(), size_t{kPrefillChunk}));
      const BatchItem item{.memory = &memory, .tokens = now, .logits = LogitsOf::kNone};
      model_.model().Forward({&item, 1}, model_.compute());
      left = left.subspan(now.size());
    }
    const MappedFile file(sample.path);
    if (sample.is_state) return IsOf(memory.recurrent(), ParseStateSnapshot(file.bytes()));
    return IsOf(memory.kv(), ParseSnapshot(file.bytes()));
  }

 private:
  // Returns whether a sample is intact. For a snapshot, TokensTo has checked that.
  static bool IsAsWritten(const Sample& sample, int64_t tokens) {
    if (!sample.is_state) return true;
    try {
      const MappedFile file(sample.path);
      const StateSnapshot state = ParseStateSnapshot(file.bytes());
      return state.IsIntact() && state.header.position == tokens;
    } catch (const Error&) {
      return false;
    }
  }

  bool IsOurs(const SnapshotKey& root, KvType kv) {
    const auto [found, first] = ours_.try_emplace({root, kv});
    if (first) found->second = MemoryOf(root, kv, model_).has_value();
    return found->second;
  }

  // Returns the tokens from the first one to the end of a snapshot. Empty where a link is missing
  // or not what was written.
  std::optional<std::vector<TokenId>> TokensTo(const SnapshotKey& key) const {
    std::vector<std::vector<TokenId>> parts;
    for (auto at = entries_.find(key);; at = entries_.find(at->second.header.parent)) {
      if (at == entries_.end()) return std::nullopt;
      const MappedFile file(at->second.path);
      Snapshot snapshot = ParseSnapshot(file.bytes());
      if (!snapshot.IsIntact()) return std::nullopt;
      parts.push_back(std::move(snapshot.tokens));
      if (at->second.header.first == 0) break;
    }
    std::vector<TokenId> tokens;
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      tokens.insert(tokens.end(), part->begin(), part->end());
    }
    return tokens;
  }

  SnapshotStore& store_;
  const LanguageModel& model_;
  std::map<SnapshotKey, SnapshotStore::Entry<SnapshotHeader>> entries_;
  std::map<std::pair<SnapshotKey, KvType>, bool> ours_;
};

}  // namespace

VerifiedMemory VerifyMemories(SnapshotStore& store, const LanguageModel& model, int64_t samples,
                              const WorkControl& control) {
  store.LeaveDamaged();
  Verification verification(store, model);
  const std::vector<Sample> ours = verification.Samples();
  VerifiedMemory result{
      .snapshots = static_cast<int64_t>(ours.size()), .recomputed = 0, .different = {}};
  const auto total = static_cast<uint64_t>(std::min(samples, result.snapshots));
  for (const Sample& sample : ours) {
    if (result.recomputed == samples) break;
    control.CheckStop();
    control.Report("verifying", static_cast<uint64_t>(result.recomputed), total);
    const std::optional<bool> same = verification.IsWhatIsComputed(sample);
    if (!same) continue;
    if (!*same) result.different.push_back(sample.path);
    ++result.recomputed;
  }
  return result;
}

}  // namespace tome
