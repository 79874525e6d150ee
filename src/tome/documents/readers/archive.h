// An Archive reads the entries of a ZIP container (DOCX, ODT, EPUB) by name, on demand.
//
// It writes nothing to disk and inflates only the entries that are asked for. It reads only the ZIP
// format with its central directory, and of its methods only "stored" and "deflate". A file that
// was cut off has no central directory and is refused as a whole.
//
// Names are normalized (NormalizeEntryName). An entry whose name climbs out of the archive counts
// as absent. Of two entries with the same name, the first one counts.
//
// An Archive does not own the bytes that it reads; they must outlive it. Two threads must not use
// one Archive at once.
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

// Returns `name` in normalization form C with "\" turned into "/" and ".." resolved, without a
// leading "/" and without empty and "." segments. Returns nullopt if no segment is left or if ".."
// climbs above the top.
std::optional<std::string> NormalizeEntryName(std::string_view name);

struct ArchiveLimits {
  uint64_t entry_bytes = kMaxArchiveEntryBytes;
  uint64_t total_bytes = kMaxArchiveTotalBytes;  // of all entries read over the Archive's life
  uint64_t entries = kMaxArchiveEntries;
  uint64_t ratio = kMaxArchiveRatio;
  uint64_t ratio_floor_bytes = kArchiveRatioFloorBytes;
};

class Archive {
 public:
  using Entries = std::map<std::string, std::string, std::less<>>;

  // Lists the entries. Throws Error(kCorrupt) if `bytes` are no complete ZIP file, and
  // Error(kUnsupported) for more entries than the limit.
  explicit Archive(std::string_view bytes, const ArchiveLimits& limits = {});

  // Returns whether there is such an entry. Here and below, `name` must be normalized.
  bool Contains(std::string_view name) const;

  // Returns the entry's content, or nullopt without such an entry. Throws an Error that names the
  // entry: kCorrupt if it is damaged; kUnsupported if it is encrypted, past a limit, compressed by
  // another method, or a folder or link. Costs one pass over all headers of the archive.
  std::optional<std::string> Read(std::string_view name);

  // Does the same as Read, but throws Error(kCorrupt) without such an entry.
  std::string ReadRequired(std::string_view name);

  // Reads all of `names` in a single pass, as Read does. Absent entries are left out.
  Entries ReadAll(std::span<const std::string> names);

 private:
  std::string Inflate(archive* reader, archive_entry* entry, std::string_view name);

  std::string_view bytes_;
  ArchiveLimits limits_;
  uint64_t total_bytes_ = 0;
  std::unordered_map<std::string, uint64_t> positions_;  // by name: index of its header in a pass
};

}  // namespace tome
