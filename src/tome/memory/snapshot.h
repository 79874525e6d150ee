// A snapshot is a file with what a model computed of up to 1,024 consecutive tokens of a text. It
// is a safetensors file, so that any tool can look into it:
//   tokens  I32 [tokens]
//   pages   U8  [layers, pages, page bytes]   of a memory that keeps keys and values of all tokens:
//                                             PagedKv's pages (layout: kernels/attention.h)
//   recent  U8  [layers, pages, page bytes]   of a memory with two types: the pages that later
//                                             tokens read in the local type
// and in `__metadata__`:
//   format                        name and version of the format
//   key, parent, root             SnapshotKey, hexadecimal
//   first                         position of the first token
//   kv, recent_kv                 main and local type of the memory
//   layers, kv_heads, head_size   shape of the pages; all 0: there are no pages
//   model, title                  model and title of the text, for people
//   documents                     hashes of the text's contents, with spaces between, where known
//   checksum                      XXH3, 64 bits, of all else but `format`
//
// Each state of recurrent layers that is kept has a file of its own:
//   states  F32 [layers, window + state]      the floats that Recurrent::Restore takes
// with `format`, `key` (of the snapshot that ends there), `root`, `position`, `window`, `model`,
// `title`, `documents` and `checksum`.
//
// A snapshot's key covers everything that its content depends on: it is a hash of its parent's key
// and its own tokens. The parent of a text's first snapshot is the root, a hash of model,
// arithmetic and settings. So the same tokens after another beginning have another key.
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

// Tokens of one snapshot: a whole part of attention. The last snapshot of a text has fewer.
inline constexpr int64_t kSnapshotTokens = kKvPartTokens;

// A SnapshotKey is a hash: XXH3, 128 bits. Nobody gains from a collision on his own shelf, and the
// store would find it, because it compares the tokens.
struct SnapshotKey {
  uint64_t high = 0;
  uint64_t low = 0;

  std::string ToString() const;  // 32 hexadecimal digits
  // Empty where `text` is not 32 hexadecimal digits in lower case.
  static std::optional<SnapshotKey> Parse(std::string_view text);
  friend auto operator<=>(const SnapshotKey&, const SnapshotKey&) = default;
};

SnapshotKey KeyOf(std::string_view text);
// Returns the key of the snapshot that holds `tokens` and follows `parent`.
SnapshotKey KeyOf(const SnapshotKey& parent, std::span<const TokenId> tokens);

struct SnapshotHeader {
  SnapshotKey key;
  SnapshotKey parent;
  SnapshotKey root;
  int64_t first = 0;
  KvTypes kv;
  KvShape shape;  // 0 layers: the snapshot holds tokens alone
  std::string model;
  std::string title;
  std::vector<std::string> documents = {};
};

struct Snapshot {
  SnapshotHeader header;
  std::vector<TokenId> tokens;
  std::span<const std::byte> pages;  // points into the parsed bytes
  std::span<const std::byte> local;  // also points there; may be empty
  uint64_t checksum = 0;             // as stored

  int64_t pages_of_layer() const {
    return (static_cast<int64_t>(tokens.size()) + kKvPageTokens - 1) / kKvPageTokens;
  }
  // Returns the pages for PagedKv::AppendPages; `owner` keeps the parsed bytes alive.
  StoredPages Stored(std::shared_ptr<const void> owner) const;
  // Returns how many of the first `common` tokens a memory can take: all, or 0 where tokens after
  // them would read pages in the local type that were not stored.
  int64_t Usable(int64_t common) const;
  // Reads all bytes. Returns whether they match the checksum, and the tokens the key.
  bool IsIntact() const;
};

// Parses a snapshot, which points into `bytes`, without verifying its checksum. Throws
// Error(kCorrupt), or Error(kUnsupported) for the format of another version.
Snapshot ParseSnapshot(std::span<const std::byte> bytes);

// Pages in a memory's main type are Snapshot::pages, those in its local type Snapshot::local.
enum class PageType { kMain, kLocal };

// Returns the bytes of a memory's pages that hold `tokens` tokens of one part, from position
// `first` on. Slots after the last token are zero in each layer's last page. The pieces point into
// the memory or, where slots were cleared, into `copies`.
std::vector<std::span<const std::byte>> PiecesOf(const PagedKv& kv, PageType of, int64_t first,
                                                 int64_t tokens,
                                                 std::vector<std::vector<std::byte>>& copies);

// Writes the snapshot of positions [header.first, header.first + tokens.size()) of a memory. `kv`
// holds its keys and values; null: the snapshot holds tokens alone. The file appears whole or not
// at all. Throws Error(kIo) with the path.
void WriteSnapshot(const std::filesystem::path& path, const SnapshotHeader& header,
                   std::span<const TokenId> tokens, const PagedKv* kv);

struct StateHeader {
  SnapshotKey key;  // of the snapshot that ends at `position`
  SnapshotKey root;
  int64_t position = 0;  // tokens read
  RecurrentShape shape;
  std::string model;
  std::string title;
  std::vector<std::string> documents = {};
};

struct StateSnapshot {
  StateHeader header;
  std::span<const std::byte> states;  // for Recurrent::Restore; points into the parsed bytes
  uint64_t checksum = 0;              // as stored

  // Reads all bytes. Returns whether they match the checksum.
  bool IsIntact() const;
};

// Parses a file of states; otherwise as ParseSnapshot.
StateSnapshot ParseStateSnapshot(std::span<const std::byte> bytes);

// Returns the states of a memory, [layers][window + state] floats, in pieces that point into it.
std::vector<std::span<const std::byte>> PiecesOf(const Recurrent& states);

// Writes the states of a memory of header.position tokens; otherwise as WriteSnapshot.
void WriteStateSnapshot(const std::filesystem::path& path, const StateHeader& header,
                        const Recurrent& states);

}  // namespace tome
