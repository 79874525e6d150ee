// The keys and values that attention layers keep of every token read: exact, growing by the token.
//
// Pages of kKvPageTokens tokens, each with one layer's keys and values (layout:
// kernels/attention.h), allocated as the memory grows and shared between forks until one of them
// writes (copy on write). Pages may also lie in a file, a kept memory's (snapshot_store.h) or one
// that pages were moved to (spill.h): those are copied before they are written, too.
//
// A memory of few bits has two element types. Each token reads in the local one, of 16 bits, what
// came before it in its own part of kKvPartTokens tokens, and the sinks, the first kKvSinkPages
// pages; all else it reads in the main one (compare KIVI, Liu et al., 2024, whose recent tokens
// stay in 16 bits until a group of them is full). What a token reads thus depends on its position
// alone. Every page is written in both types, and the local one of a part is let go when the next
// part is read.
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

// Whether memories of a type keep their keys turned by kernels/hadamard.h; whoever attends to them
// turns the queries as well. Few bits need it where a few channels of the keys are far larger than
// the rest, as they are in most models.
constexpr bool RotatesKeys(KvType type) { return type == KvType::kQ8 || type == KvType::kQ4; }

// A type's name with what else tells its keys and values from those of an earlier Tome: "q4
// rotated". What is kept of them on disk is found by it.
std::string KindOf(KvType type);

// Bytes of the pages that hold `tokens` tokens.
constexpr int64_t KvBytes(const KvShape& shape, KvType type, int64_t tokens) {
  const int64_t pages = (tokens + kKvPageTokens - 1) / kKvPageTokens;
  return pages * shape.layers * 2 * KvPageBytes(type, shape.kv_heads, shape.head_size);
}

// The element types of a memory.
struct KvTypes {
  KvType main = KvType::kF16;
  KvType local = KvType::kF16;  // the same where tokens are kept in one type only
  bool mixed() const { return main != local; }
  friend bool operator==(const KvTypes&, const KvTypes&) = default;
};
// The types of a memory that is asked for in `type`; `half` is the model's type of 16 bits.
constexpr KvTypes KvTypesOf(KvType type, KvType half) {
  const bool few_bits = type == KvType::kQ8 || type == KvType::kQ4;
  return {.main = type, .local = few_bits ? half : type};
}

// How many pages of `tokens` tokens of one part, from position `first` on, StoredPages has in the
// local type, as going on behind them needs: the sinks where it is a whole part, and else all.
int64_t LocalPagesToStore(const KvTypes& types, int64_t first, int64_t tokens);

// Pages of consecutive tokens that were computed before and lie elsewhere: [layers][count][bytes of
// a page], only read, as long as `owner` lives.
struct StoredPages {
  std::shared_ptr<const void> owner;
  const std::byte* pages = nullptr;  // in the main type
  int64_t count = 0;                 // of a layer
  const std::byte* local = nullptr;  // in the local one, of a memory with two types: the first
  int64_t local_count = 0;           // pages of the same tokens
};

// Move-only; Fork is the copy. Not thread-safe: one reader or writer at a time, but forks are
// independent of each other.
class PagedKv {
 public:
  PagedKv(const KvShape& shape, KvTypes types);
  PagedKv(const KvShape& shape, KvType type) : PagedKv(shape, KvTypes{type, type}) {}
  PagedKv(PagedKv&&) noexcept = default;
  PagedKv& operator=(PagedKv&&) noexcept = default;
  PagedKv(const PagedKv&) = delete;
  PagedKv& operator=(const PagedKv&) = delete;
  ~PagedKv() = default;

  // Another memory with the same tokens; O(pages), copies no page.
  PagedKv Fork() const;

  const KvShape& shape() const { return shape_; }
  const KvTypes& types() const { return types_; }
  // The main type, in which all tokens can be read.
  KvType type() const { return types_.main; }
  // Tokens remembered, those of dropped pages included.
  int64_t length() const { return dropped_ + length_; }
  // Of them, tokens of dropped pages, and those that are held.
  int64_t dropped() const { return dropped_; }
  int64_t held() const { return length_; }
  // Of all pages that this memory can reach, shared ones and those in files included.
  int64_t bytes() const;

  // A forward pass over `tokens` new tokens: makes room for them in every layer (pages shared with
  // a fork are copied first), writes each layer through `Writable`, reads through `View`, and in
  // the end remembers them with Advance. Error(kOutOfMemory) when there is no room; nothing is
  // changed then.
  void Reserve(int64_t tokens);
  struct WritablePages {
    KvType type;
    std::span<std::byte* const> keys;
    std::span<std::byte* const> values;
  };
  // Pages of a layer, for each type of the memory, valid as View's; only positions from held() to
  // the reserved end may be written.
  std::vector<WritablePages> Writable(int64_t layer);
  // What a token at `position` sees of a layer, as all tokens of its part: the pages held, one
  // behind the other. Valid until the next call that is not const.
  KvView View(int64_t layer, int64_t position) const;
  // A layer's keys in the main type, one pointer a page. Valid as View's.
  std::span<const std::byte* const> Keys(int64_t layer) const { return main_.layer(layer).keys; }
  // Where the view changes: the first position behind `position` that sees another one.
  int64_t ViewEnd(int64_t position) const;
  void Advance(int64_t tokens);

  // Bytes of one layer's keys and values of a page's tokens, which lie together: keys, then values.
  int64_t page_bytes() const { return PageBytesOf(types_.main); }
  int64_t local_page_bytes() const { return PageBytesOf(types_.local); }
  // Of the held page `index`: where none was dropped, its positions begin at index · kKvPageTokens.
  // Valid as View's.
  std::span<const std::byte> PageBytes(int64_t layer, int64_t index) const;
  // In the local type of a memory with two; nothing where it was let go.
  std::span<const std::byte> LocalPageBytes(int64_t layer, int64_t index) const;
  // Makes all but the first `slots` tokens of a page zero; `page` is a copy of PageBytes, or of
  // LocalPageBytes.
  void ClearSlots(KvType type, int64_t slots, std::byte* page) const;
  // Remembers `tokens` more tokens by their pages. The memory ends at the end of a page, and of a
  // part where it has two types.
  void AppendPages(int64_t tokens, const StoredPages& pages);

  // From now on Reserve moves the pages of whole parts, the oldest first, to `file` where more than
  // `max_bytes` would stay in RAM: the memory's own pages, and one layer's of those in files, which
  // BeginLayer and EndLayer fetch and let go. The pages of the last two parts stay whatever the
  // limit. Forks have the same limit, each for its own.
  void Limit(int64_t max_bytes, std::shared_ptr<SpillFile> file);
  // Bytes of pages that do not lie in files.
  int64_t resident_bytes() const;
  // Whether Reserve(kKvPartTokens) would move pages that ReplacePages has not.
  bool IsFull() const;
  // Whether the page of `position` is the memory's own.
  bool IsResident(int64_t position) const {
    return main_.IsResident(static_cast<size_t>(position / kKvPageTokens));
  }
  // The memory has the same pages elsewhere, too: those of a whole part from position `first` on
  // are from now on read there.
  void ReplacePages(int64_t first, const StoredPages& pages);
  // A pass comes to a layer, and has left it. Where pages are in files, and the memory has a limit,
  // the next layer's are read ahead, which `sparse` passes do without, and this one's let go.
  void BeginLayer(int64_t layer, bool sparse) const;
  void EndLayer(int64_t layer) const;

  // Drops `count` of the pages held from `first` on, which are full: tokens behind them keep their
  // positions. `first` is the same every time. Not of a memory with two types, or with a limit.
  void Drop(int64_t first, int64_t count);

  // Forgets all tokens from `length` on (speculation that failed, a changed ending), or some more:
  // a memory with two types goes back to the beginning of a part that it has let go of the local
  // type of. How many tokens are left. To go back over those of the last pass always works. Not
  // from within what was dropped, but 0 and the tokens before it will do.
  int64_t Truncate(int64_t length);

 private:
  // One layer's keys and values of one page's tokens. Pages that were made together share a slab,
  // which gives them large pages of the system, or a file; it lasts as long as any of them.
  struct PageStorage {
    std::shared_ptr<const void> owner;
    std::byte* data = nullptr;
    bool read_only = false;
  };
  using Page = std::shared_ptr<PageStorage>;  // shared by forks; null: let go
  struct Layer {
    std::vector<Page> pages;
    std::vector<std::byte*> keys;  // of pages, as kernels want them
    std::vector<std::byte*> values;
  };
  // All pages in one type.
  class Pages {
   public:
    Pages(KvType type, const KvShape& shape);

    KvType type() const { return type_; }
    int64_t page_bytes() const { return 2 * half_; }
    int64_t bytes() const;
    const Layer& layer(int64_t index) const { return layers_.at(static_cast<size_t>(index)); }

    // Pages of the memory's own where pages [first, end) are shared, let go or not there yet, with
    // what is in them; [layers][end − first], null for those that may be written as they are.
    std::vector<std::vector<Page>> MakeOwn(size_t first, size_t end) const;
    void Place(size_t first, std::vector<std::vector<Page>> made);
    // Puts [layers][stored] pages at `first`, of which `count` are taken.
    void PlaceStored(size_t first, size_t count, const std::shared_ptr<const void>& owner,
                     const std::byte* pages, int64_t stored);
    // Makes room for `count` pages in the lists; what is new is null.
    void Resize(size_t count);
    void LetGo(size_t first, size_t end);
    void Erase(size_t first, size_t count);
    bool Has(size_t first, size_t end) const;
    // Of pages that are the memory's own.
    int64_t resident_bytes() const;
    bool IsResident(size_t page) const;
    // Pages [first, end), layer by layer.
    std::vector<std::span<const std::byte>> PiecesOf(size_t first, size_t end) const;
    // Calls back with the runs of bytes of a layer that lie in files.
    template <typename Function>
    void ForMapped(int64_t layer, const Function& function) const;

   private:
    void PlaceOne(Layer& layer, size_t index, Page page);

    KvType type_;
    int64_t half_;  // bytes of a page's keys, and of its values
    std::vector<Layer> layers_;
  };

  // Bytes that may stay in RAM besides those that are fetched from files.
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
