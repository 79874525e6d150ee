// A snapshot: what a model computed of one run of a document's tokens, as a file.
//
// Safetensors, so that any tool can look into it:
//   tokens  I32 [tokens]
//   pages   U8  [layers, pages, page bytes]   as PagedKv has them (layout: kernels/attention.h),
//                                             of a memory that keeps keys and values of all tokens
//   recent  U8  [layers, pages, page bytes]   those that going on behind it needs in the local
//                                             type, of a memory with two types
// and in `__metadata__`: `format`; `key`, `parent` and `root` (SnapshotKey, hexadecimal); `first`,
// the position of its first token; the memory's `kv` and `recent_kv`, `layers`, `kv_heads` and
// `head_size` (no layers, heads and size: no pages); the `model` and the `title` of what was read,
// for people; where they are known, `documents`, hashes of the contents it was made of, with spaces
// between; `checksum`, XXH3 of everything else.
//
// What recurrent layers remember has a file of its own for each position where it is kept:
//   states  F32 [layers, window + state]      as Recurrent has them
// with `format`, `key` (of the snapshot that ends there), `root`, `position`, `window`, `model`,
// `title`, `documents` and `checksum`.
//
// A snapshot is named by all that its content depends on: its key is a hash of its parent's key and
// its own tokens, the first one's parent is the root, a hash of model, arithmetic and settings. So
// one that follows another tells itself apart from the same words in another place.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/memory/paged_kv.h"
#include "tome/memory/recurrent.h"
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
  KvTypes kv;
  KvShape shape;  // no layers: tokens alone
  std::string model;
  std::string title;
  std::vector<std::string> documents = {};
};

struct Snapshot {
  SnapshotHeader header;
  std::vector<TokenId> tokens;
  std::span<const std::byte> pages;  // into the bytes it was parsed from
  std::span<const std::byte> local;  // likewise; empty: none
  uint64_t checksum = 0;             // as stored

  int64_t pages_of_layer() const {
    return (static_cast<int64_t>(tokens.size()) + kKvPageTokens - 1) / kKvPageTokens;
  }
  // Its pages, as long as `owner` of the bytes lives.
  StoredPages Stored(std::shared_ptr<const void> owner) const;
  // How many of its first `tokens` tokens a memory can take from it: all, or none where the pages
  // that going on in their middle needs in the local type were not stored.
  int64_t Usable(int64_t common) const;
  // Reads all of it: whether it is what was written.
  bool IsIntact() const;
};

// Error(kCorrupt), or Error(kUnsupported) for the format of another version. The checksum is not
// looked at.
Snapshot ParseSnapshot(std::span<const std::byte> bytes);

// The bytes of a memory's pages of `tokens` tokens from position `first` on, of one part: those of
// Snapshot::pages, or of Snapshot::local. What is behind the tokens in each layer's last page is
// zero. The pieces lie in the memory, or in `copies`.
std::vector<std::span<const std::byte>> PiecesOf(const PagedKv& kv, bool local, int64_t first,
                                                 int64_t tokens,
                                                 std::vector<std::vector<std::byte>>& copies);

// Writes the snapshot of positions [header.first, header.first + tokens.size()) of a memory with
// these keys and values, or null for none: it appears whole or not at all. Error(kIo) with the
// path.
void WriteSnapshot(const std::filesystem::path& path, const SnapshotHeader& header,
                   std::span<const TokenId> tokens, const PagedKv* kv);

struct StateHeader {
  SnapshotKey key;  // of the snapshot at whose end it is
  SnapshotKey root;
  int64_t position = 0;  // tokens read
  RecurrentShape shape;
  std::string model;
  std::string title;
  std::vector<std::string> documents = {};
};

struct StateSnapshot {
  StateHeader header;
  std::span<const std::byte> states;  // as Recurrent::Restore takes them, into the bytes parsed
  uint64_t checksum = 0;              // as stored

  // Reads all of it: whether it is what was written.
  bool IsIntact() const;
};

// As ParseSnapshot.
StateSnapshot ParseStateSnapshot(std::span<const std::byte> bytes);

// The states of a memory, [layers][window + state] floats in pieces.
std::vector<std::span<const std::byte>> PiecesOf(const Recurrent& states);

// As WriteSnapshot, of header.position tokens.
void WriteStateSnapshot(const std::filesystem::path& path, const StateHeader& header,
                        const Recurrent& states);

}  // namespace tome
