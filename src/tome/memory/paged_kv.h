// PagedKv holds the keys and values that attention layers keep of every token read; it grows with
// each token.
//
// A page holds the keys and values of kKvPageTokens tokens in one layer (layout:
// kernels/attention.h). Pages are allocated as the memory grows. Forks share them until one of them
// writes (copy on write). A page may also lie in a file: in a snapshot (snapshot_store.h), or in
// the file that pages are spilled to (spill.h). Such a page, too, is copied before it is written.
//
// A memory that is kept in 8 or 4 bits may have two element types. The main type has 8 or 4 bits,
// the local type 16. A token reads in the local type the sinks, which are the first kKvSinkPages
// pages, and the tokens before it in its own part of kKvPartTokens tokens. It reads all other
// tokens in the main type (compare KIVI, Liu et al., 2024, whose recent tokens stay in 16 bits
// until a group of them is full). So the types that a token reads depend on its position alone.
// Every page is written in both types. A part's pages in the local type are freed, all but the
// sinks, when a pass begins in a later part: no token reads them any more.
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

// Returns the name by which data on disk about a type is found: "f16", "q4 rotated". An earlier
// Tome that kept other numbers in a type found them by another name ("q4"), so its data is not
// taken for ours.
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

// Returns how many pages of one layer must be stored in the local type with a part, or with its
// beginning: `tokens` tokens from position `first` on. These are the pages that later tokens read
// in that type. In a whole part only the sinks are, so only the first part has any. In an
// incomplete part all pages are. Returns 0 for a memory with one type.
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
  // `dropped` returns the number of tokens of dropped pages, `held` that of all others.
  int64_t dropped() const { return dropped_; }
  int64_t held() const { return length_; }
  // Returns the bytes of all pages that this memory can reach, shared ones and those in files
  // included.
  int64_t bytes() const;

  // A forward pass over `tokens` new tokens calls Reserve, which makes room for them in every layer
  // (pages shared with a fork are copied first); writes each layer through `Writable`; reads it
  // through `View`; and remembers the tokens with Advance. Reserve throws Error(kOutOfMemory) when
  // there is no room, and Error(kIo) when pages cannot be spilled. No token is lost then.
  void Reserve(int64_t tokens);
  struct WritablePages {
    KvType type;
    std::span<std::byte* const> keys;
    std::span<std::byte* const> values;
  };
  // Returns the pages of a layer in each type of the memory, valid as long as a View. Only
  // positions from held() to the reserved end may be written.
  std::vector<WritablePages> Writable(int64_t layer);
  // Returns the pages held of a layer, in order, each in the type in which the token at `position`
  // reads it. All tokens of one part read them alike. Valid until the next call that is not const.
  KvView View(int64_t layer, int64_t position) const;
  // Returns a layer's keys in the main type, one pointer a page, valid as long as a View.
  std::span<const std::byte* const> Keys(int64_t layer) const { return main_.layer(layer).keys; }
  // Returns the first position after `position` that has another View: the beginning of the next
  // part or, with one type, the largest int64_t, because all positions have the same View.
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
  // Keeps the first `slots` slots of `page` and makes the others zero. `page` is the caller's own
  // copy of PageBytes or, for the local type, of LocalPageBytes.
  void ClearSlots(KvType type, int64_t slots, std::byte* page) const;
  // Remembers `tokens` more tokens by their stored pages, without a copy. The memory must end at
  // the end of a page, and with two types at the end of a part.
  void AppendPages(int64_t tokens, const StoredPages& pages);

  // From now on Reserve moves pages in the main type to `file` where more than `max_bytes` would
  // stay in RAM: whole parts, the oldest first, but never the last two. The pages that do not lie
  // in files count. So do, once more, all pages of one layer, because PrefetchNextLayer brings
  // pages of a layer from files into RAM until EndLayer. A fork has the same limit for itself.
  void Limit(int64_t max_bytes, std::shared_ptr<SpillFile> file);
  // Returns the bytes of pages that do not lie in files.
  int64_t resident_bytes() const;
  // Returns whether the limit leaves no room for another part. Reserve(kKvPartTokens) would then
  // move pages to the file, unless ReplacePages lets enough of them be read from elsewhere before.
  bool IsFull() const;
  // Returns whether the page of `position` does not lie in a file.
  bool IsResident(int64_t position) const {
    return main_.IsResident(static_cast<size_t>(position / kKvPageTokens));
  }
  // From now on the whole part that begins at position `first` is read, in the main type, from
  // `pages`, which must hold the same bytes.
  void ReplacePages(int64_t first, const StoredPages& pages);
  // A pass calls PrefetchNextLayer when it comes to `layer` and EndLayer when it leaves it. Under a
  // limit, PrefetchNextLayer has the pages of the layer after it read ahead from files, and
  // EndLayer gives back the RAM of `layer`'s own pages from files. A sparse pass reads few pages
  // and does not prefetch.
  void PrefetchNextLayer(int64_t layer) const;
  void EndLayer(int64_t layer) const;

  // Drops `count` full pages from held page `first` on; tokens after them keep their positions.
  // `first` must be the same in every call, because a memory can have only one gap. A memory with
  // two types, or with a limit, cannot drop pages.
  void Drop(int64_t first, int64_t count);

  // Forgets all tokens from `length` on (failed speculation, a changed ending) and returns the
  // number of tokens left. This is `length`, with one exception: where a memory with two types has
  // no pages in the local type any more of the part that `length` lies in, it ends at the beginning
  // of that part. This never happens where only tokens of the last pass are forgotten. `length`
  // must not lie within dropped pages, but may lie before them.
  int64_t Truncate(int64_t length);

 private:
  // One page of one layer. `owner` is the slab or the file that it lies in, which lasts as long as
  // any of its pages. Pages that are made together share a slab, because the system gives large
  // pages only to large pieces of RAM.
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

    // Makes a page that may be written for each of [first, end) that may not be: it is shared, in a
    // file, freed or not there yet. Where it had content, the new page has the same. Returns them
    // as [layers][end − first], with null for pages that may be written as they are. The memory
    // uses them from Place on.
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

  // Returns how many more bytes may stay in RAM; below 0 where the limit is exceeded.
  int64_t Room() const;
  // Moves whole parts to the file, the oldest first, until there is room for `bytes` more. The part
  // moved last ends at or before position `end`, even where the room is still too small.
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
