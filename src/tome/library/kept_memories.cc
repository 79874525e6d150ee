#include "tome/library/kept_memories.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tome/memory/snapshot_store.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Returns whether one of the names in a title, which commas separate, ends with this file name.
bool Names(std::string_view title, std::string_view file) {
  for (size_t at = title.find(file); at != std::string_view::npos; at = title.find(file, at + 1)) {
    const std::string_view before = title.substr(0, at);
    const std::string_view behind = title.substr(at + file.size());
    const bool begins = before.empty() || before.ends_with('/') || before.ends_with(", ");
    if (begins && (behind.empty() || behind.starts_with(", "))) return true;
  }
  return false;
}

// Decides which memories are removed together with a document.
class MemoryRemoval {
 public:
  MemoryRemoval(const DocumentRecord& document, std::span<const DocumentRecord> staying)
      : hash_(document.hash) {
    for (const DocumentRecord& other : staying) staying_.insert(other.hash);
    for (const std::string& path : document.paths) {
      files_.push_back(NormalizeText(std::filesystem::path(path).filename().string()));
    }
    files_.push_back(fmt::format("#{}", document.id));
  }

  template <typename Header>
  bool Takes(const Header& header) const {
    if (std::ranges::count(header.documents, hash_) > 0) return true;
    return !Stays(header) && std::ranges::any_of(files_, [&](const std::string& file) {
      return Names(header.title, file);
    });
  }

  // Returns whether a memory was made of staying documents alone.
  template <typename Header>
  bool Stays(const Header& header) const {
    return !header.documents.empty() &&
           std::ranges::all_of(header.documents, [&](const std::string& hash) {
             return hash != hash_ && staying_.contains(hash);
           });
  }

 private:
  std::string hash_;
  std::set<std::string> staying_;
  std::vector<std::string> files_;  // file names and number of the document
};

}  // namespace

int64_t RemoveMemoriesOf(const DocumentRecord& document, std::span<const DocumentRecord> staying,
                         const std::filesystem::path& memories) {
  if (!std::filesystem::exists(memories)) return 0;
  SnapshotStore store(memories, INT64_MAX);
  const MemoryRemoval removal(document, staying);
  const auto snapshots = store.List();
  std::map<SnapshotKey, const SnapshotHeader*> by_key;
  for (const auto& entry : snapshots) by_key.emplace(entry.header.key, &entry.header);

  std::set<SnapshotKey> gone;
  for (const auto& entry : store.ListStates()) {
    if (removal.Takes(entry.header)) gone.insert(entry.header.key);
  }
  for (const auto& entry : snapshots) {
    if (removal.Takes(entry.header)) gone.insert(entry.header.key);
  }
  // The beginning of a removed memory is part of the document's text, even where it names other
  // documents.
  for (const SnapshotKey& key : std::vector(gone.begin(), gone.end())) {
    for (auto at = by_key.find(key); at != by_key.end();) {
      at = by_key.find(at->second->parent);
      if (at == by_key.end() || removal.Stays(*at->second)) break;
      gone.insert(at->first);
    }
  }
  // Nothing leads to the memories that follow removed ones. List has each parent before its
  // children.
  for (const auto& entry : snapshots) {
    if (gone.contains(entry.header.parent)) gone.insert(entry.header.key);
  }
  return store.RemoveKeys(gone);
}

}  // namespace tome
