// A snapshot: what a model computed of one run of a document's tokens, as a file.
//
// Safetensors, so that any tool can look into it:
//   pages   U8  [layers, pages, page bytes]   as PagedKv has them (layout: kernels/attention.h)
//   tokens  I32 [tokens]
// and in `__metadata__`: `format`; `key`, `parent` and `root` (SnapshotKey, hexadecimal); `first`,
// the position of its first token; the memory's `kv`, `layers`, `kv_heads` and `head_size`; the
// `model` and the `title` of what was read, for people; `checksum`, XXH3 of everything else.
//
// A snapshot is named by all that its content depends on: its key is a hash of its parent's key and
// its own tokens, the first one's parent is the root, a hash of model, arithmetic and settings. So
// one that follows another tells itself apart from the same words in another place.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/memory/paged_kv.h"
#include "tome/text/vocabulary_spec.h"

namespace tome {

// Tokens of one snapshot; the last one of a text has fewer. Whole parts of attention.
inline constexpr int64_t kSnapshotTokens = kKvPartTokens;

// XXH3, 128 bits. Nobody gains from a collision on his own shelf, and one would be found out:
// tokens are compared.
struct SnapshotKey {
  uint64_t high = 0;
  uint64_t low = 0;

  std::string ToString() const;  // 32 hexadecimal digits
  static std::optional<SnapshotKey> Parse(std::string_view text);
  friend auto operator<=>(const SnapshotKey&, const SnapshotKey&) = default;
};

SnapshotKey KeyOf(std::string_view text);
// The key of the snapshot of `tokens` behind `parent`.
SnapshotKey KeyOf(const SnapshotKey& parent, std::span<const TokenId> tokens);

struct SnapshotHeader {
  SnapshotKey key;
  SnapshotKey parent;
  SnapshotKey root;
  int64_t first = 0;
  KvType kv = KvType::kF16;
  KvShape shape;
  std::string model;
  std::string title;
};

struct Snapshot {
  SnapshotHeader header;
  std::vector<TokenId> tokens;
  std::span<const std::byte> pages;  // into the bytes it was parsed from
  uint64_t checksum = 0;             // as stored

  int64_t pages_of_layer() const {
    return (static_cast<int64_t>(tokens.size()) + kKvPageTokens - 1) / kKvPageTokens;
  }
  // Reads all of it: whether it is what was written.
  bool IsIntact() const;
};

// Error(kCorrupt), or Error(kUnsupported) for the format of another version. The checksum is not
// looked at.
Snapshot ParseSnapshot(std::span<const std::byte> bytes);

// Writes the snapshot of positions [header.first, header.first + tokens.size()) of a memory: it
// appears whole or not at all. Error(kIo) with the path.
void WriteSnapshot(const std::filesystem::path& path, const SnapshotHeader& header,
                   std::span<const TokenId> tokens, const PagedKv& kv);

}  // namespace tome
