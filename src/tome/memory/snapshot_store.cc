#include "tome/memory/snapshot_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/mapped_file.h"

namespace tome {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExtension = ".safetensors";
constexpr std::string_view kUnfinished = ".part";  // of NewFile
// A file that is being written is younger.
constexpr std::chrono::hours kAbandonedAfter{24};
// Ends of texts with the same beginning that are looked at.
constexpr size_t kMostTails = 256;

struct Name {
  SnapshotKey parent;
  SnapshotKey key;
};

std::optional<Name> ParseName(const std::string& name) {
  constexpr size_t kDigits = 32;
  if (name.size() != 2 * kDigits + 1 + kExtension.size() || name[kDigits] != '-' ||
      !name.ends_with(kExtension)) {
    return std::nullopt;
  }
  const auto parent = SnapshotKey::Parse(std::string_view(name).substr(0, kDigits));
  const auto key = SnapshotKey::Parse(std::string_view(name).substr(kDigits + 1, kDigits));
  if (!parent || !key) return std::nullopt;
  return Name{*parent, *key};
}

int64_t CommonPrefix(std::span<const TokenId> a, std::span<const TokenId> b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

void Touch(const fs::path& path) {
  std::error_code gone;  // by another process: no matter
  fs::last_write_time(path, fs::file_time_type::clock::now(), gone);
}

}  // namespace

struct SnapshotStore::Found {
  std::shared_ptr<const MappedFile> file;
  Snapshot snapshot;
  int64_t used = 0;  // tokens of it
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

void SnapshotStore::RemoveDamaged(const SnapshotKey& parent, const SnapshotKey& key) {
  std::error_code gone;
  fs::remove(PathOf(parent, key), gone);
  Forget(parent, key);
  ++report_.damaged;
}

// Nothing where there is no such file any more, or where it is damaged.
std::optional<SnapshotStore::Found> SnapshotStore::Open(const SnapshotKey& parent,
                                                        const SnapshotKey& key) {
  try {
    Found found{.file = std::make_shared<const MappedFile>(PathOf(parent, key)), .snapshot = {}};
    found.snapshot = ParseSnapshot(found.file->bytes());
    if (found.snapshot.header.key == key && found.snapshot.header.parent == parent) return found;
  } catch (const Error& error) {
    if (error.code() != Code::kCorrupt && error.code() != Code::kUnsupported) {
      Forget(parent, key);
      return std::nullopt;
    }
  }
  RemoveDamaged(parent, key);
  return std::nullopt;
}

// The child that has most of the beginning of `tokens`.
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

int64_t SnapshotStore::Restore(const SnapshotOwner& owner, std::span<const TokenId> tokens,
                               Memory& memory, ThreadPool& threads) {
  TOME_CHECK(memory.length() == 0);
  PagedKv& kv = memory.kv();
  std::vector<Found> chain;
  SnapshotKey parent = owner.root;
  auto left = tokens;
  while (!left.empty()) {
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
    if (!found) found = OpenLongest(parent, left);
    if (!found || found->used == 0) break;
    const SnapshotHeader& header = found->snapshot.header;
    const auto position = static_cast<int64_t>(tokens.size() - left.size());
    if (header.root != owner.root || header.first != position || header.kv != kv.types() ||
        header.shape != kv.shape()) {
      RemoveDamaged(parent, header.key);  // a foreign file under this name
      break;
    }
    left = left.subspan(static_cast<size_t>(found->used));
    parent = header.key;
    chain.push_back(std::move(*found));
    if (chain.back().used < kSnapshotTokens) break;
  }

  std::atomic<size_t> intact{chain.size()};
  threads.ParallelFor(static_cast<int64_t>(chain.size()), [&](int64_t i, int) {
    const auto index = static_cast<size_t>(i);
    if (index >= intact.load() || chain[index].snapshot.IsIntact()) return;
    size_t before = intact.load();
    while (index < before && !intact.compare_exchange_weak(before, index)) {
    }
  });
  if (intact < chain.size()) {
    const SnapshotHeader& header = chain[intact].snapshot.header;
    RemoveDamaged(header.parent, header.key);
    chain.resize(intact);  // those behind it are looked at again when they are to be kept
  }
  for (const Found& found : chain) {
    kv.AppendPages(found.used, found.snapshot.Stored(found.file));
  }
  // The first one last, so that a text's beginning outlives its end.
  for (auto found = chain.rbegin(); found != chain.rend(); ++found) {
    used_.insert(found->snapshot.header.key);
    Touch(PathOf(found->snapshot.header.parent, found->snapshot.header.key));
  }
  return memory.length();
}

int64_t SnapshotStore::CountStored(const SnapshotKey& root, std::span<const TokenId> tokens) const {
  constexpr auto kWhole = static_cast<size_t>(kSnapshotTokens);
  SnapshotKey parent = root;
  int64_t count = 0;
  for (auto left = tokens; left.size() >= kWhole; left = left.subspan(kWhole)) {
    const SnapshotKey key = KeyOf(parent, left.first(kWhole));
    if (!Has(parent, key)) break;
    count += kSnapshotTokens;
    parent = key;
  }
  return count;
}

// Whether `bytes` more have room, after old snapshots went.
bool SnapshotStore::MakeRoom(int64_t bytes) {
  if (bytes > max_bytes_) return false;
  if (bytes_ + bytes <= max_bytes_) return true;
  struct Old {
    fs::file_time_type used;
    SnapshotKey parent;
    SnapshotKey key;
  };
  std::vector<Old> old;
  for (const auto& [parent, file] : children_) {
    if (used_.contains(file.key)) continue;
    std::error_code gone;
    old.push_back({fs::last_write_time(PathOf(parent, file.key), gone), parent, file.key});
  }
  std::sort(old.begin(), old.end(), [](const Old& a, const Old& b) { return a.used < b.used; });
  for (const Old& snapshot : old) {
    if (bytes_ + bytes <= max_bytes_) break;
    std::error_code gone;
    fs::remove(PathOf(snapshot.parent, snapshot.key), gone);
    Forget(snapshot.parent, snapshot.key);
  }
  return bytes_ + bytes <= max_bytes_;
}

void SnapshotStore::KeepOne(const SnapshotOwner& owner, const SnapshotKey& parent,
                            const SnapshotKey& key, int64_t first, std::span<const TokenId> tokens,
                            const PagedKv& kv) {
  const auto count = static_cast<int64_t>(tokens.size());
  const int64_t bytes = KvBytes(kv.shape(), kv.types().older, count) +
                        RecentPagesToStore(kv.types(), first, count) *
                            KvBytes(kv.shape(), kv.types().recent, kKvPageTokens);
  if (!MakeRoom(bytes)) {
    report_.failure = fmt::format(
        "kept memories may take {} MiB, and this one takes more "
        "(--cache-size)",
        max_bytes_ >> 20);
    return;
  }
  try {
    const fs::path path = PathOf(parent, key);
    WriteSnapshot(path,
                  {.key = key,
                   .parent = parent,
                   .root = owner.root,
                   .first = first,
                   .kv = kv.types(),
                   .shape = kv.shape(),
                   .model = owner.model,
                   .title = owner.title},
                  tokens, kv);
    const auto size = static_cast<int64_t>(fs::file_size(path));
    children_.emplace(parent, File{key, size});
    bytes_ += size;
    report_.kept_tokens += count;
    report_.kept_bytes += size;
  } catch (const Error& error) {
    report_.failure = error.what();
  } catch (const fs::filesystem_error& error) {
    report_.failure = error.what();
  }
}

void SnapshotStore::Keep(const SnapshotOwner& owner, std::span<const TokenId> tokens,
                         Memory& memory, bool tail) {
  TOME_CHECK(memory.length() == static_cast<int64_t>(tokens.size()));
  SnapshotKey parent = owner.root;
  const auto length = static_cast<int64_t>(tokens.size());
  for (int64_t first = 0; first < length && report_.failure.empty(); first += kSnapshotTokens) {
    const int64_t count = std::min(kSnapshotTokens, length - first);
    const bool whole = count == kSnapshotTokens;
    if (!whole && !tail) break;
    const auto own = tokens.subspan(static_cast<size_t>(first), static_cast<size_t>(count));
    const SnapshotKey key = KeyOf(parent, own);
    // What is there already was used, or is looked at now: behind a damaged one there may be more.
    if (!used_.contains(key) && Has(parent, key)) {
      const auto found = Open(parent, key);
      if (found && !found->snapshot.IsIntact()) RemoveDamaged(parent, key);
    }
    used_.insert(key);
    if (!Has(parent, key)) KeepOne(owner, parent, key, first, own, memory.kv());
    // In this order: whether it is full is counted over all pages.
    if (whole && memory.kv().IsResident(first) && memory.kv().IsFull()) {
      if (const auto found = Open(parent, key)) {
        memory.kv().ReplacePages(first, found->snapshot.Stored(found->file));
      }
    }
    parent = key;
  }
}

std::vector<SnapshotStore::Entry> SnapshotStore::List() const {
  std::vector<Entry> entries;
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
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.header.root, a.header.first, a.header.key) <
           std::tie(b.header.root, b.header.first, b.header.key);
  });
  return entries;
}

std::vector<fs::path> SnapshotStore::FindDamaged(const WorkControl& control) const {
  std::vector<fs::path> damaged;
  uint64_t done = 0;
  for (const auto& [parent, file] : children_) {
    control.CheckStop();
    const fs::path path = PathOf(parent, file.key);
    try {
      const MappedFile map(path);
      const Snapshot snapshot = ParseSnapshot(map.bytes());
      if (snapshot.header.key != file.key || snapshot.header.parent != parent ||
          !snapshot.IsIntact()) {
        damaged.push_back(path);
      }
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) damaged.push_back(path);
    }
    control.Report("verifying", ++done, children_.size());
  }
  return damaged;
}

int64_t SnapshotStore::Remove(const std::set<SnapshotKey>& roots) {
  const int64_t before = bytes_;
  for (const Entry& entry : List()) {
    if (!roots.contains(entry.header.root)) continue;
    std::error_code gone;
    fs::remove(entry.path, gone);
    Forget(entry.header.parent, entry.header.key);
  }
  return before - bytes_;
}

}  // namespace tome
