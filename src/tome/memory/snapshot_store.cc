#include "tome/memory/snapshot_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/mapped_file.h"
#include "tome/memory/state_positions.h"

namespace tome {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExtension = ".safetensors";
constexpr std::string_view kStateExtension = ".state.safetensors";
constexpr size_t kDigits = 32;                     // of a key
constexpr std::string_view kUnfinished = ".part";  // the ending of NewFile's temporary names
// An unfinished file that is older was abandoned.
constexpr std::chrono::hours kAbandonedAfter{24};
// Most snapshots with the same parent that are opened to find one with a common prefix.
constexpr size_t kMostTails = 256;

struct Name {
  SnapshotKey parent;
  SnapshotKey key;
};

std::optional<Name> ParseName(const std::string& name) {
  if (name.size() != 2 * kDigits + 1 + kExtension.size() || name[kDigits] != '-' ||
      !name.ends_with(kExtension)) {
    return std::nullopt;
  }
  const auto parent = SnapshotKey::Parse(std::string_view(name).substr(0, kDigits));
  const auto key = SnapshotKey::Parse(std::string_view(name).substr(kDigits + 1, kDigits));
  if (!parent || !key) return std::nullopt;
  return Name{*parent, *key};
}

std::optional<SnapshotKey> ParseStateName(const std::string& name) {
  if (name.size() != kDigits + kStateExtension.size() || !name.ends_with(kStateExtension)) {
    return std::nullopt;
  }
  return SnapshotKey::Parse(std::string_view(name).substr(0, kDigits));
}

int64_t CommonPrefix(std::span<const TokenId> a, std::span<const TokenId> b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

// Returns whether an error says that a file is damaged; with others it is gone or cannot be read.
bool IsDamage(const Error& error) {
  return error.code() == Code::kCorrupt || error.code() == Code::kUnsupported;
}

void Touch(const fs::path& path) {
  std::error_code gone;  // another process may have removed it
  fs::last_write_time(path, fs::file_time_type::clock::now(), gone);
}

}  // namespace

struct SnapshotStore::Found {
  std::shared_ptr<const MappedFile> file;
  Snapshot snapshot;
  int64_t used = 0;  // tokens that are taken
};

struct SnapshotStore::FoundState {
  std::shared_ptr<const MappedFile> file;
  StateSnapshot snapshot;
};

// The files that a memory is restored from: consecutive snapshots and, where layers are recurrent,
// the state after the last of them.
struct SnapshotStore::Chain {
  std::vector<Found> links;
  std::optional<FoundState> state;
};

SnapshotStore::SnapshotStore(fs::path folder, int64_t max_bytes)
    : folder_(std::move(folder)), max_bytes_(max_bytes) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw SystemError(folder_.string(), error.value());
  const auto now = fs::file_time_type::clock::now();
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    const auto size = it->file_size(gone);
    if (gone) continue;
    const std::string name = it->path().filename().string();
    if (const auto parsed = ParseName(name)) {
      children_.emplace(parsed->parent, File{parsed->key, static_cast<int64_t>(size)});
      bytes_ += static_cast<int64_t>(size);
    } else if (const auto key = ParseStateName(name)) {
      states_.emplace(*key, static_cast<int64_t>(size));
      bytes_ += static_cast<int64_t>(size);
    } else if (name.ends_with(kUnfinished)) {
      const auto written = it->last_write_time(gone);
      if (!gone && now - written > kAbandonedAfter) fs::remove(it->path(), gone);
    }
  }
  if (error) throw SystemError(folder_.string(), error.value());
}

fs::path SnapshotStore::PathOf(const SnapshotKey& parent, const SnapshotKey& key) const {
  return folder_ / fmt::format("{}-{}{}", parent.ToString(), key.ToString(), kExtension);
}

fs::path SnapshotStore::StatePathOf(const SnapshotKey& key) const {
  return folder_ / fmt::format("{}{}", key.ToString(), kStateExtension);
}

bool SnapshotStore::Has(const SnapshotKey& parent, const SnapshotKey& key) const {
  const auto [begin, end] = children_.equal_range(parent);
  return std::any_of(begin, end, [&](const auto& child) { return child.second.key == key; });
}

void SnapshotStore::Forget(const SnapshotKey& parent, const SnapshotKey& key) {
  const auto [begin, end] = children_.equal_range(parent);
  const auto found =
      std::find_if(begin, end, [&](const auto& child) { return child.second.key == key; });
  if (found == end) return;
  bytes_ -= found->second.bytes;
  children_.erase(found);
}

void SnapshotStore::ForgetState(const SnapshotKey& key) {
  const auto found = states_.find(key);
  if (found == states_.end()) return;
  bytes_ -= found->second;
  states_.erase(found);
}

void SnapshotStore::RemoveState(const SnapshotKey& key) {
  if (!states_.contains(key)) return;
  std::error_code gone;
  fs::remove(StatePathOf(key), gone);
  ForgetState(key);
}

void SnapshotStore::RemoveDamaged(const SnapshotKey& parent, const SnapshotKey& key) {
  std::error_code gone;
  if (!leaves_damaged_) fs::remove(PathOf(parent, key), gone);
  Forget(parent, key);
  ++report_.damaged;
}

void SnapshotStore::RemoveDamagedState(const SnapshotKey& key) {
  std::error_code gone;
  if (!leaves_damaged_) fs::remove(StatePathOf(key), gone);
  ForgetState(key);
  ++report_.damaged;
}

// Empty where the file is gone or damaged; a damaged one is removed.
std::optional<SnapshotStore::Found> SnapshotStore::Open(const SnapshotKey& parent,
                                                        const SnapshotKey& key) {
  try {
    Found found{.file = std::make_shared<const MappedFile>(PathOf(parent, key)), .snapshot = {}};
    PreferLargePages(found.file->bytes());
    found.snapshot = ParseSnapshot(found.file->bytes());
    if (found.snapshot.header.key == key && found.snapshot.header.parent == parent) return found;
  } catch (const Error& error) {
    if (!IsDamage(error)) {
      Forget(parent, key);
      return std::nullopt;
    }
  }
  RemoveDamaged(parent, key);
  return std::nullopt;
}

// Opens the snapshot after `parent` that has the longest usable prefix of `tokens`.
std::optional<SnapshotStore::Found> SnapshotStore::OpenLongest(const SnapshotKey& parent,
                                                               std::span<const TokenId> tokens) {
  std::vector<SnapshotKey> keys;
  const auto [begin, end] = children_.equal_range(parent);
  for (auto it = begin; it != end && keys.size() < kMostTails; ++it) keys.push_back(it->second.key);
  std::optional<Found> longest;
  for (const SnapshotKey& key : keys) {
    auto found = Open(parent, key);
    if (!found) continue;
    found->used = found->snapshot.Usable(CommonPrefix(found->snapshot.tokens, tokens));
    if (found->used > (longest ? longest->used : 0)) longest = std::move(found);
  }
  return longest;
}

// Opens the longest snapshot after `parent` that `tokens` begin with and that has a state.
std::optional<SnapshotStore::Found> SnapshotStore::OpenTailWithState(
    const SnapshotKey& parent, std::span<const TokenId> tokens) {
  std::vector<SnapshotKey> keys;
  const auto [begin, end] = children_.equal_range(parent);
  for (auto it = begin; it != end && keys.size() < kMostTails; ++it) {
    if (states_.contains(it->second.key)) keys.push_back(it->second.key);
  }
  std::optional<Found> longest;
  for (const SnapshotKey& key : keys) {
    auto found = Open(parent, key);
    if (!found) continue;
    const auto count = static_cast<int64_t>(found->snapshot.tokens.size());
    if (CommonPrefix(found->snapshot.tokens, tokens) < count) continue;
    found->used = count;
    if (count > (longest ? longest->used : 0)) longest = std::move(found);
  }
  return longest;
}

// Empty where the file is gone, damaged or foreign; a damaged or foreign one is removed.
std::optional<SnapshotStore::FoundState> SnapshotStore::OpenState(const SnapshotOwner& owner,
                                                                  const SnapshotKey& key,
                                                                  int64_t position,
                                                                  const RecurrentShape& shape) {
  try {
    FoundState found{.file = std::make_shared<const MappedFile>(StatePathOf(key)), .snapshot = {}};
    found.snapshot = ParseStateSnapshot(found.file->bytes());
    const StateHeader& header = found.snapshot.header;
    if (header.key == key && header.root == owner.root && header.position == position &&
        header.shape == shape && found.snapshot.IsIntact()) {
      return found;
    }
  } catch (const Error& error) {
    if (!IsDamage(error)) {
      ForgetState(key);
      return std::nullopt;
    }
  }
  RemoveDamagedState(key);
  return std::nullopt;
}

// Follows snapshots from the root along `tokens`: as far as they go or, for a memory with recurrent
// layers, to the last state on that way.
SnapshotStore::Chain SnapshotStore::Follow(const SnapshotOwner& owner,
                                           std::span<const TokenId> tokens, const Memory& memory) {
  const bool has_kv = memory.has_whole_kv();
  const KvTypes types = has_kv ? memory.kv().types() : KvTypes{};
  const KvShape shape = has_kv ? memory.kv().shape() : KvShape{};
  // Removes a foreign file that has a snapshot's name.
  const auto is_ours = [&](const Found& found, int64_t position) {
    const SnapshotHeader& header = found.snapshot.header;
    const bool ours = header.root == owner.root && header.first == position && header.kv == types &&
                      header.shape == shape;
    if (!ours) RemoveDamaged(header.parent, header.key);
    return ours;
  };
  Chain chain;
  // The last state found follows the first `with_state` links and `tail`, where there is one.
  size_t with_state = 0;
  std::optional<Found> tail;
  SnapshotKey parent = owner.root;
  auto left = tokens;
  while (!left.empty()) {
    const auto position = static_cast<int64_t>(tokens.size() - left.size());
    if (memory.has_recurrent()) {
      auto found = OpenTailWithState(parent, left);
      if (found && is_ours(*found, position)) {
        with_state = chain.links.size();
        tail = std::move(found);
      }
    }
    std::optional<Found> found;
    if (left.size() >= static_cast<size_t>(kSnapshotTokens)) {
      const auto whole = left.first(static_cast<size_t>(kSnapshotTokens));
      const SnapshotKey key = KeyOf(parent, whole);
      if (Has(parent, key)) found = Open(parent, key);
      if (found && !std::ranges::equal(found->snapshot.tokens, whole)) {
        RemoveDamaged(parent, key);  // the key is a hash of other tokens
        break;
      }
      if (found) found->used = kSnapshotTokens;
    }
    if (!found && !memory.has_recurrent()) found = OpenLongest(parent, left);
    if (!found || found->used == 0 || !is_ours(*found, position)) break;
    left = left.subspan(static_cast<size_t>(found->used));
    parent = found->snapshot.header.key;
    chain.links.push_back(std::move(*found));
    if (chain.links.back().used < kSnapshotTokens) break;
    if (memory.has_recurrent() && states_.contains(parent)) {
      with_state = chain.links.size();
      tail.reset();
    }
  }
  if (!memory.has_recurrent()) return chain;
  chain.links.resize(with_state);
  if (tail) chain.links.push_back(std::move(*tail));
  if (chain.links.empty()) return chain;
  const Found& last = chain.links.back();
  chain.state = OpenState(owner, last.snapshot.header.key, last.snapshot.header.first + last.used,
                          memory.recurrent().shape());
  // OpenState has forgotten a state that it could not open, so this finds the state before.
  return chain.state ? std::move(chain) : Follow(owner, tokens, memory);
}

// Cuts the chain before its first link that is not what was written, and removes that file.
void SnapshotStore::CheckLinks(Chain& chain, ThreadPool& threads) {
  std::vector<Found>& links = chain.links;
  std::atomic<size_t> intact{links.size()};
  threads.ParallelFor(static_cast<int64_t>(links.size()), [&](int64_t i, int) {
    const auto index = static_cast<size_t>(i);
    if (index >= intact.load() || links[index].snapshot.IsIntact()) return;
    size_t before = intact.load();
    while (index < before && !intact.compare_exchange_weak(before, index)) {
    }
  });
  if (intact < links.size()) {
    const SnapshotHeader& header = links[intact].snapshot.header;
    RemoveDamaged(header.parent, header.key);
    links.resize(intact);  // later ones are verified when they are to be kept
  }
}

int64_t SnapshotStore::Restore(const SnapshotOwner& owner, std::span<const TokenId> tokens,
                               Memory& memory, ThreadPool& threads) {
  TOME_CHECK(memory.length() == 0);
  Chain chain;
  for (bool whole = false; !whole;) {
    chain = Follow(owner, tokens, memory);
    const size_t links = chain.links.size();
    CheckLinks(chain, threads);
    whole = chain.links.size() == links || !memory.has_recurrent();
  }
  if (chain.links.empty()) return 0;
  if (chain.state) {
    const StateSnapshot& state = chain.state->snapshot;
    memory.recurrent().Restore(state.header.position, state.states);
    Touch(StatePathOf(state.header.key));
  }
  // The first link is touched last, so that a text's beginning outlives its end.
  for (auto found = chain.links.rbegin(); found != chain.links.rend(); ++found) {
    used_.insert(found->snapshot.header.key);
    Touch(PathOf(found->snapshot.header.parent, found->snapshot.header.key));
  }
  if (memory.has_whole_kv()) {
    for (const Found& found : chain.links) {
      memory.kv().AppendPages(found.used, found.snapshot.Stored(found.file));
    }
  }
  return memory.length();
}

int64_t SnapshotStore::CountStored(const SnapshotKey& root, std::span<const TokenId> tokens,
                                   const Memory& memory) {
  constexpr auto kWhole = static_cast<size_t>(kSnapshotTokens);
  SnapshotKey parent = root;
  int64_t count = 0;
  int64_t position = 0;
  auto left = tokens;
  for (;; left = left.subspan(kWhole)) {
    if (memory.has_recurrent()) {
      if (const auto tail = OpenTailWithState(parent, left)) count = position + tail->used;
    }
    if (left.size() < kWhole) break;
    const SnapshotKey key = KeyOf(parent, left.first(kWhole));
    if (!Has(parent, key)) break;
    position += kSnapshotTokens;
    if (!memory.has_recurrent() || states_.contains(key)) count = position;
    parent = key;
  }
  if (memory.has_recurrent()) return count;
  const std::optional<Found> last = OpenLongest(parent, left);
  return count + (last ? last->used : 0);
}

// Returns all files but those that this store used, in the order in which they are given up: the
// least recently used first, and a text's end before its beginning, without which the end is of no
// use.
std::vector<SnapshotStore::Old> SnapshotStore::OldestFirst() const {
  std::vector<Old> files;
  std::map<SnapshotKey, size_t> snapshots;  // by key
  const auto add = [&](const std::optional<SnapshotKey>& parent, const SnapshotKey& key) {
    fs::path path = parent ? PathOf(*parent, key) : StatePathOf(key);
    std::error_code gone;
    const auto used = fs::last_write_time(path, gone);
    files.push_back({.used = used, .path = std::move(path), .parent = parent, .key = key});
  };
  for (const auto& [parent, file] : children_) {
    snapshots.emplace(file.key, files.size());
    add(parent, file.key);
  }
  for (const auto& [key, size] : states_) add(std::nullopt, key);

  std::vector<size_t> latest(files.size());
  std::iota(latest.begin(), latest.end(), size_t{0});
  std::sort(latest.begin(), latest.end(),
            [&](size_t a, size_t b) { return files[a].used > files[b].used; });
  // Each way leads from a file up to the root: a file is in use as lately as any that follows it.
  std::vector<std::vector<size_t>> ways;
  std::vector<bool> seen(files.size());
  for (const size_t file : latest) {
    std::vector<size_t>& way = ways.emplace_back();
    for (size_t at = file; !seen[at];) {
      seen[at] = true;
      way.push_back(at);
      const auto before = snapshots.find(files[at].parent.value_or(files[at].key));
      if (before == snapshots.end()) break;
      at = before->second;
    }
  }
  std::vector<Old> old;
  for (auto way = ways.rbegin(); way != ways.rend(); ++way) {
    for (const size_t file : *way) {
      if (!used_.contains(files[file].key)) old.push_back(std::move(files[file]));
    }
  }
  return old;
}

// Removes old files until `bytes` more have room; returns whether they have.
bool SnapshotStore::MakeRoom(int64_t bytes) {
  if (bytes > max_bytes_) return false;
  if (bytes_ + bytes <= max_bytes_) return true;
  for (const Old& file : OldestFirst()) {
    if (bytes_ + bytes <= max_bytes_) break;
    std::error_code gone;
    fs::remove(file.path, gone);
    if (file.parent) {
      Forget(*file.parent, file.key);
    } else {
      ForgetState(file.key);
    }
  }
  return bytes_ + bytes <= max_bytes_;
}

// Makes room for about `bytes`, calls `write` and returns the file's size. Empty, with the reason
// reported, where there is no room or the file cannot be written.
std::optional<int64_t> SnapshotStore::WriteFile(const fs::path& path, int64_t bytes,
                                                const std::function<void()>& write) {
  if (!MakeRoom(bytes)) {
    report_.failure = {
        fmt::format("kept memories may take {} MiB, and this one takes more", max_bytes_ >> 20),
        {Advice::Raise(Setting::kCacheSize)}};
    return std::nullopt;
  }
  try {
    write();
    const auto size = static_cast<int64_t>(fs::file_size(path));
    bytes_ += size;
    report_.kept_bytes += size;
    return size;
  } catch (const Error& error) {
    report_.failure = {error.what(), error.advice()};
  } catch (const fs::filesystem_error& error) {
    report_.failure = error.what();
  }
  return std::nullopt;
}

void SnapshotStore::KeepOne(const SnapshotOwner& owner, const SnapshotKey& parent,
                            const SnapshotKey& key, int64_t first, std::span<const TokenId> tokens,
                            const PagedKv* kv) {
  const auto count = static_cast<int64_t>(tokens.size());
  auto bytes = static_cast<int64_t>(tokens.size_bytes());
  SnapshotHeader header{.key = key,
                        .parent = parent,
                        .root = owner.root,
                        .first = first,
                        .kv = {},
                        .shape = {},
                        .model = owner.model,
                        .title = owner.title,
                        .documents = owner.documents};
  if (kv != nullptr) {
    header.kv = kv->types();
    header.shape = kv->shape();
    bytes += KvBytes(kv->shape(), kv->types().main, count) +
             LocalPagesToStore(kv->types(), first, count) *
                 KvBytes(kv->shape(), kv->types().local, kKvPageTokens);
  }
  const fs::path path = PathOf(parent, key);
  const auto size = WriteFile(path, bytes, [&] { WriteSnapshot(path, header, tokens, kv); });
  if (!size) return;
  children_.emplace(parent, File{key, *size});
  report_.kept_tokens += count;
}

void SnapshotStore::KeepState(const SnapshotOwner& owner, const SnapshotKey& key,
                              const Recurrent& states) {
  // A state that is there already stays if it is intact.
  if (states_.contains(key) && OpenState(owner, key, states.length(), states.shape())) return;
  const fs::path path = StatePathOf(key);
  const auto size = WriteFile(path, RecurrentBytes(states.shape()), [&] {
    WriteStateSnapshot(path,
                       {.key = key,
                        .root = owner.root,
                        .position = states.length(),
                        .shape = states.shape(),
                        .model = owner.model,
                        .title = owner.title,
                        .documents = owner.documents},
                       states);
  });
  if (size) states_.emplace(key, *size);
}

// Removes the states at regular positions within `tokens`, of one part from position `first` on,
// that a text of `length` tokens does not keep any more.
void SnapshotStore::RemoveStates(const SnapshotKey& parent, int64_t first,
                                 std::span<const TokenId> tokens, int64_t length, int64_t step) {
  const auto count = static_cast<int64_t>(tokens.size());
  for (int64_t position = (first / step + 1) * step; position <= first + count; position += step) {
    if (KeepsState(position, length / step * step, step)) continue;
    const SnapshotKey key = KeyOf(parent, tokens.first(static_cast<size_t>(position - first)));
    const int64_t before = bytes_;
    RemoveState(key);
    // The snapshot of an incomplete part was kept for its state alone.
    if (position - first < kSnapshotTokens && Has(parent, key)) {
      std::error_code gone;
      fs::remove(PathOf(parent, key), gone);
      Forget(parent, key);
    }
    report_.kept_bytes = std::max<int64_t>(0, report_.kept_bytes - (before - bytes_));
  }
}

void SnapshotStore::Keep(const SnapshotOwner& owner, std::span<const TokenId> tokens,
                         Memory& memory, Tail tail) {
  TOME_CHECK(memory.length() == static_cast<int64_t>(tokens.size()));
  SnapshotKey parent = owner.root;
  const auto length = static_cast<int64_t>(tokens.size());
  PagedKv* const kv = memory.has_whole_kv() ? &memory.kv() : nullptr;
  for (int64_t first = 0; first < length && report_.failure.text.empty();
       first += kSnapshotTokens) {
    const int64_t count = std::min(kSnapshotTokens, length - first);
    const bool whole = count == kSnapshotTokens;
    if (!whole && tail == Tail::kLeftOut) break;
    const auto own = tokens.subspan(static_cast<size_t>(first), static_cast<size_t>(count));
    const SnapshotKey key = KeyOf(parent, own);
    // A stored snapshot was verified when used, or is now: Restore skips those after a damaged one.
    if (!used_.contains(key) && Has(parent, key)) {
      const auto found = Open(parent, key);
      if (found && !found->snapshot.IsIntact()) RemoveDamaged(parent, key);
    }
    used_.insert(key);
    if (!Has(parent, key)) KeepOne(owner, parent, key, first, own, kv);
    // IsFull comes last, because it counts all pages.
    if (kv != nullptr && whole && kv->IsResident(first) && kv->IsFull()) {
      if (const auto found = Open(parent, key)) {
        kv->ReplacePages(first, found->snapshot.Stored(found->file));
      }
    }
    if (memory.has_recurrent())
      RemoveStates(parent, first, own, length, StateStep(memory.segment()));
    parent = key;
  }
  if (tail == Tail::kLeftOut || !memory.has_recurrent() || !report_.failure.text.empty()) return;
  TOME_CHECK(memory.segment() == 0 || memory.kv().length() == 0);
  KeepState(owner, parent, memory.recurrent());
}

std::vector<SnapshotStore::Entry<SnapshotHeader>> SnapshotStore::List() const {
  std::vector<Entry<SnapshotHeader>> entries;
  for (const auto& [parent, file] : children_) {
    const fs::path path = PathOf(parent, file.key);
    try {
      const MappedFile map(path);
      const Snapshot snapshot = ParseSnapshot(map.bytes());
      std::error_code gone;
      entries.push_back({.header = snapshot.header,
                         .tokens = static_cast<int64_t>(snapshot.tokens.size()),
                         .bytes = file.bytes,
                         .used = fs::last_write_time(path, gone),
                         .path = path});
    } catch (const Error&) {
      continue;  // FindDamaged names them
    }
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.header.root, a.header.first, a.header.key) <
           std::tie(b.header.root, b.header.first, b.header.key);
  });
  return entries;
}

std::vector<SnapshotStore::Entry<StateHeader>> SnapshotStore::ListStates() const {
  std::vector<Entry<StateHeader>> entries;
  for (const auto& [key, bytes] : states_) {
    const fs::path path = StatePathOf(key);
    try {
      const MappedFile map(path);
      std::error_code gone;
      entries.push_back({.header = ParseStateSnapshot(map.bytes()).header,
                         .tokens = 0,
                         .bytes = bytes,
                         .used = fs::last_write_time(path, gone),
                         .path = path});
    } catch (const Error&) {
      continue;  // FindDamaged names them
    }
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.header.root, a.header.position, a.header.key) <
           std::tie(b.header.root, b.header.position, b.header.key);
  });
  return entries;
}

std::vector<fs::path> SnapshotStore::FindDamaged(const WorkControl& control) const {
  std::vector<fs::path> damaged;
  uint64_t done = 0;
  const auto check = [&](const fs::path& path, const auto& is_what_was_written) {
    control.CheckStop();
    try {
      const MappedFile map(path);
      if (!is_what_was_written(map.bytes())) damaged.push_back(path);
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) damaged.push_back(path);
    }
    control.Report("verifying", ++done, children_.size() + states_.size());
  };
  for (const auto& child : children_) {
    const SnapshotKey& parent = child.first;
    const SnapshotKey& key = child.second.key;
    check(PathOf(parent, key), [&](std::span<const std::byte> bytes) {
      const Snapshot snapshot = ParseSnapshot(bytes);
      return snapshot.header.key == key && snapshot.header.parent == parent && snapshot.IsIntact();
    });
  }
  for (const auto& state : states_) {
    check(StatePathOf(state.first), [&](std::span<const std::byte> bytes) {
      const StateSnapshot snapshot = ParseStateSnapshot(bytes);
      return snapshot.header.key == state.first && snapshot.IsIntact();
    });
  }
  return damaged;
}

int64_t SnapshotStore::Remove(const std::set<SnapshotKey>& roots) {
  const int64_t before = bytes_;
  for (const auto& entry : List()) {
    if (!roots.contains(entry.header.root)) continue;
    std::error_code gone;
    fs::remove(entry.path, gone);
    Forget(entry.header.parent, entry.header.key);
  }
  for (const auto& entry : ListStates()) {
    if (roots.contains(entry.header.root)) RemoveState(entry.header.key);
  }
  return before - bytes_;
}

int64_t SnapshotStore::RemoveKeys(const std::set<SnapshotKey>& keys) {
  const int64_t before = bytes_;
  std::set<SnapshotKey> staying;
  for (const auto& entry : List()) {
    if (!keys.contains(entry.header.key)) staying.insert(entry.header.key);
  }
  std::set<SnapshotKey> staying_states;
  for (const auto& entry : ListStates()) {
    if (!keys.contains(entry.header.key)) staying_states.insert(entry.header.key);
  }
  for (const auto& [parent, file] : std::multimap(children_)) {
    if (staying.contains(file.key)) continue;
    std::error_code gone;
    fs::remove(PathOf(parent, file.key), gone);
    Forget(parent, file.key);
  }
  for (const auto& [key, bytes] : std::map(states_)) {
    if (!staying_states.contains(key)) RemoveState(key);
  }
  return before - bytes_;
}

}  // namespace tome
