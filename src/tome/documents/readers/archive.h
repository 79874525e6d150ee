// The entries of a ZIP container (DOCX, ODT, EPUB), read by name on demand.
//
// Nothing is ever written to disk and nothing is inflated that was not asked for. Only the ZIP
// format with its central directory is read, and of its methods only "stored" and "deflate": a file
// that was cut off has no central directory and is refused whole.
//
// Names are normalized (NormalizeEntryName); an entry whose name climbs out of the archive is as
// good as absent. Of two entries with the same name the first one counts.
//
// An Archive does not own the bytes it reads; they outlive it. Not for use by two threads at once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tome/documents/limits.h"

struct archive;
struct archive_entry;

namespace tome {

// `name` with "\" turned into "/", without leading "/", empty and "." segments, ".." resolved, in
// normalization form C. nullopt if nothing is left or if ".." climbs above the top.
std::optional<std::string> NormalizeEntryName(std::string_view name);

struct ArchiveLimits {
  uint64_t entry_bytes = kMaxArchiveEntryBytes;
  uint64_t total_bytes = kMaxArchiveTotalBytes;  // of everything read over the Archive's life
  uint64_t entries = kMaxArchiveEntries;
  uint64_t ratio = kMaxArchiveRatio;
  uint64_t ratio_floor_bytes = kArchiveRatioFloorBytes;
};

class Archive {
 public:
  using Entries = std::map<std::string, std::string, std::less<>>;

  // Lists the entries. Throws Error: kCorrupt if `bytes` are no complete ZIP file, kUnsupported for
  // more entries than the limit.
  explicit Archive(std::string_view bytes, const ArchiveLimits& limits = {});

  // `name` is normalized, here and below.
  bool Contains(std::string_view name) const;

  // The entry's content, nullopt if there is no such entry. Throws Error naming the entry: kCorrupt
  // if it is damaged, kUnsupported if it is encrypted, past a limit or compressed by another
  // method. One pass over all headers of the archive.
  std::optional<std::string> Read(std::string_view name);

  // As Read; kCorrupt where there is no such entry.
  std::string ReadRequired(std::string_view name);

  // As Read for all of `names` in a single pass; absent ones are left out.
  Entries ReadAll(std::span<const std::string> names);

 private:
  std::string Inflate(archive* reader, archive_entry* entry, std::string_view name);

  std::string_view bytes_;
  ArchiveLimits limits_;
  uint64_t total_bytes_ = 0;
  std::unordered_map<std::string, uint64_t> positions_;  // by name: which header of the pass it is
};

}  // namespace tome
