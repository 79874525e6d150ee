// PagedKv holds the keys and values that attention layers keep of every token read; it grows with
// each token.
//
// A page holds the keys and values of kKvPageTokens tokens in one layer (layout:
// kernels/attention.h). Pages are allocated as the memory grows. Forks share them until one of them
// writes (copy on write). A page may also lie in a file: in a kept memory's (snapshot_store.h), or
// in one that pages were moved to (spill.h). Such a page, too, is copied before it is written.
//
// A memory of few bits has two element types. In the local type, of 16 bits, a token reads the
// sinks, which are the first kKvSinkPages pages, and the tokens before it in its own part of
// kKvPartTokens tokens. It reads all other tokens in the main type (compare KIVI, Liu et al., 2024,
// whose recent tokens stay in 16 bits until a group of them is full). So the types that a token
// reads depend on its position alone. Every page is written in both types. When a part is read, the
// pages of earlier parts in the local type are freed, all but the sinks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tome/kernels/attention.h"
#include "tome/tensor/tensor.h"

namespace tome {

class SpillFile;

struct KvShape {
  int64_t layers = 0;
  int64_t kv_heads = 0;   // G
  int64_t head_size = 0;  // of keys and of values

  friend bool operator==(const KvShape&, const KvShape&) = default;
};

// Returns whether memories of a type keep their keys turned by kernels/hadamard.h; queries must be
// turned as well to attend to them. Types of few bits need this where a few channels of the keys
// are far larger than the rest, as in most models.
constexpr bool RotatesKeys(KvType type) { return type == KvType::kQ8 || type == KvType::kQ4; }

// Returns a name that tells a type's keys and values from those of an earlier Tome: "q4 rotated".
// Data on disk is found by it.
std::string KindOf(KvType type);

// Returns the bytes of the pages that hold `tokens` tokens in all layers.
constexpr int64_t KvBytes(const KvShape& shape, KvType type, int64_t tokens) {
  const int64_t pages = (tokens + kKvPageTokens - 1) / kKvPageTokens;
  return pages * shape.layers * 2 * KvPageBytes(type, shape.kv_heads, shape.head_size);
}

// The element types of a memory.
struct KvTypes {
  KvType main = KvType::kF16;
  KvType local = KvType::kF16;  // equals `main` where tokens are kept in one type only
  bool mixed() const { return main != local; }
  friend bool operator==(const KvTypes&, const KvTypes&) = default;
};
// Returns the types of a memory that is asked for in `type`; `half` is the model's 16-bit type.
constexpr KvTypes KvTypesOf(KvType type, KvType half) {
  const bool few_bits = type == KvType::kQ8 || type == KvType::kQ4;
  return {.main = type, .local = few_bits ? half : type};
}

// Returns how many pages StoredPages has in the local type, of `tokens` tokens of one part from
// position `first` on: those that later tokens read, which are the sinks of a whole part and all
// pages of an incomplete one. 0 for a memory with one type.
int64_t LocalPagesToStore(const KvTypes& types, int64_t first, int64_t tokens);

// Pages of consecutive tokens that were computed before and lie elsewhere: [layers][count][bytes of
// a page]. They are only read, and valid as long as `owner` lives.
struct StoredPages {
  std::shared_ptr<const void> owner;
  const std::byte* pages = nullptr;  // in the main type
  int64_t count = 0;                 // pages of one layer
  const std::byte* local = nullptr;  // the first of these pages in the local type
  int64_t local_count = 0;           // pages of one layer; 0 with one type
};

// PagedKv is move-only: Fork makes the copy. It is not thread-safe (one reader or writer at a
// time), but forks are independent of each other.
class PagedKv {
 public:
  PagedKv(const KvShape& shape, KvTypes types);
  PagedKv(const KvShape& shape, KvType type) : PagedKv(shape, KvTypes{type, type}) {}
  PagedKv(PagedKv&&) noexcept = default;
  PagedKv& operator=(PagedKv&&) noexcept = default;
  PagedKv(const PagedKv&) = delete;
  PagedKv& operator=(const PagedKv&) = delete;
  ~PagedKv() = default;

  // Returns another memory with the same tokens; takes O(pages), copies no page.
  PagedKv Fork() const;

  const KvShape& shape() const { return shape_; }
  const KvTypes& types() const { return types_; }
  // Returns the main type, in which all tokens can be read.
  KvType type() const { return types_.main; }
  // Returns the number of tokens read, those of dropped pages included.
  int64_t length() const { return dropped_ + length_; }
  // `dropped` counts those of dropped pages, `held` the others.
  int64_t dropped() const { return dropped_; }
  int64_t held() const { return length_; }
  // Returns the bytes of all pages that this memory can reach, shared ones and those in files
  // included.
  int64_t bytes() const;

  // A forward pass over `tokens` new tokens calls Reserve, which makes room for them in every layer
  // (pages shared with a fork are copied first); writes each layer through `Writable`; reads it
  // through `View`; and remembers the tokens with Advance. Reserve throws Error(kOutOfMemory) when
  // there is no room, and forgets nothing.
  void Reserve(int64_t tokens);
  struct WritablePages {
    KvType type;
    std::span<std::byte* const> keys;
    std::span<std::byte* const> values;
  };
  // Returns the pages of a layer in each type of the memory, valid as long as a View. Only
  // positions from held() to the reserved end may be written.
  std::vector<WritablePages> Writable(int64_t layer);
  // Returns the pages held of a layer, in order, as a token at `position` and all others of its
  // part read them. Valid until the next call that is not const.
  KvView View(int64_t layer, int64_t position) const;
  // Returns a layer's keys in the main type, one pointer a page, valid as long as a View.
  std::span<const std::byte* const> Keys(int64_t layer) const { return main_.layer(layer).keys; }
  // Returns the first position after `position` that has another View.
  int64_t ViewEnd(int64_t position) const;
  void Advance(int64_t tokens);

  // Returns the bytes of one page, which holds keys, then values, in the main or in the local type.
  int64_t page_bytes() const { return PageBytesOf(types_.main); }
  int64_t local_page_bytes() const { return PageBytesOf(types_.local); }
  // Returns held page `index` in the main type, valid as long as a View. Where no page was dropped,
  // its positions begin at index · kKvPageTokens.
  std::span<const std::byte> PageBytes(int64_t layer, int64_t index) const;
  // Returns the page in the local type, of a memory with two types; empty where it was freed.
  std::span<const std::byte> LocalPageBytes(int64_t layer, int64_t index) const;
  // Makes all but the first `slots` tokens of a page zero; `page` is a copy of PageBytes or, for
  // the local type, of LocalPageBytes.
  void ClearSlots(KvType type, int64_t slots, std::byte* page) const;
  // Remembers `tokens` more tokens by their stored pages, without a copy. The memory must end at
  // the end of a page, and with two types at the end of a part.
  void AppendPages(int64_t tokens, const StoredPages& pages);

  // From now on Reserve moves pages in the main type to `file` where more than `max_bytes` would
  // stay in RAM: whole parts, the oldest first, but never the last two. The limit counts the pages
  // that do not lie in files, and one layer's share of all pages for those that PrefetchNextLayer
  // and EndLayer fetch and release. A fork has the same limit for itself.
  void Limit(int64_t max_bytes, std::shared_ptr<SpillFile> file);
  // Returns the bytes of pages that do not lie in files.
  int64_t resident_bytes() const;
  // Returns whether the limit leaves no room for another part, so that Reserve(kKvPartTokens) would
  // move pages that ReplacePages has not replaced.
  bool IsFull() const;
  // Returns whether the page of `position` does not lie in a file.
  bool IsResident(int64_t position) const {
    return main_.IsResident(static_cast<size_t>(position / kKvPageTokens));
  }
  // From now on the whole part that begins at position `first` is read, in the main type, from
  // `pages`, which must hold the same bytes.
  void ReplacePages(int64_t first, const StoredPages& pages);
  // A pass calls PrefetchNextLayer when it comes to a layer and EndLayer when it leaves it. Under a
  // limit, the first has the next layer's pages read ahead from files, and the second gives back
  // the RAM of this layer's pages. A sparse pass reads few pages and does not prefetch.
  void PrefetchNextLayer(int64_t layer) const;
  void EndLayer(int64_t layer) const;

  // Drops `count` full pages from held page `first` on; tokens after them keep their positions.
  // `first` must be the same in every call. Not for a memory with two types, or with a limit.
  void Drop(int64_t first, int64_t count);

  // Forgets all tokens from `length` on (failed speculation, a changed ending) and returns the
  // number of tokens left. A memory with two types goes back further, to the beginning of a part,
  // where it has freed pages in the local type between that and `length`. Tokens of the last pass
  // can always be forgotten alone. `length` must not lie within dropped pages, but may lie before
  // them.
  int64_t Truncate(int64_t length);

 private:
  // One page of one layer. Pages that were made together share a slab, which gives them the
  // system's large pages, or a file; it lasts as long as any of them.
  struct PageStorage {
    std::shared_ptr<const void> owner;
    std::byte* data = nullptr;
    bool read_only = false;
  };
  using Page = std::shared_ptr<PageStorage>;  // shared by forks; null: freed
  struct Layer {
    std::vector<Page> pages;
    std::vector<std::byte*> keys;  // one pointer a page, for kernels
    std::vector<std::byte*> values;
  };
  // All pages of the memory in one type.
  class Pages {
   public:
    Pages(KvType type, const KvShape& shape);

    KvType type() const { return type_; }
    int64_t page_bytes() const { return 2 * half_; }
    int64_t bytes() const;
    const Layer& layer(int64_t index) const { return layers_.at(static_cast<size_t>(index)); }

    // Returns new pages, with their content, for those of [first, end) that are shared, in files,
    // freed or not there yet; [layers][end − first], null for pages that may be written as they
    // are.
    std::vector<std::vector<Page>> MakeOwn(size_t first, size_t end) const;
    void Place(size_t first, std::vector<std::vector<Page>> made);
    // Puts the first `count` of each layer's pages at `first`; `pages` is [layers][stored].
    void PlaceStored(size_t first, size_t count, const std::shared_ptr<const void>& owner,
                     const std::byte* pages, int64_t stored);
    // Makes the lists `count` pages long; new pages are null.
    void Resize(size_t count);
    void LetGo(size_t first, size_t end);
    void Erase(size_t first, size_t count);
    bool Has(size_t first, size_t end) const;
    int64_t resident_bytes() const;
    bool IsResident(size_t page) const;
    // Returns pages [first, end), layer by layer.
    std::vector<std::span<const std::byte>> PiecesOf(size_t first, size_t end) const;
    // Calls `function` with each run of a layer's bytes that lie in files.
    template <typename Function>
    void ForMapped(int64_t layer, const Function& function) const;

   private:
    void PlaceOne(Layer& layer, size_t index, Page page);

    KvType type_;
    int64_t half_;  // bytes of a page's keys, and of its values
    std::vector<Layer> layers_;
  };

  // Returns how many more bytes may stay in RAM, apart from those that a pass fetches from files.
  int64_t Room() const;
  // Moves parts that end at or before `end` to the file until `bytes` more have room.
  void Spill(int64_t end, int64_t bytes);

  int64_t PageBytesOf(KvType type) const {
    return 2 * KvPageBytes(type, shape_.kv_heads, shape_.head_size);
  }

  KvShape shape_;
  KvTypes types_;
  int64_t length_ = 0;     // tokens held
  int64_t dropped_ = 0;    // tokens of dropped pages
  int64_t drop_page_ = 0;  // the first page that was dropped
  Pages main_;
  std::optional<Pages> local_;  // of a memory with two types
  int64_t max_bytes_ = std::numeric_limits<int64_t>::max();
  std::shared_ptr<SpillFile> spill_;
};

}  // namespace tome
