// The keys and values that attention layers keep of every token read: exact, growing by the token.
//
// Pages of kKvPageTokens tokens, each with one layer's keys and values (layout:
// kernels/attention.h), allocated as the memory grows and shared between forks until one of them
// writes (copy on write). Pages may also lie in a kept memory's file (snapshot_store.h): those are
// copied before they are written, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tome/kernels/attention.h"
#include "tome/tensor/tensor.h"

namespace tome {

struct KvShape {
  int64_t layers = 0;
  int64_t kv_heads = 0;   // G
  int64_t head_size = 0;  // of keys and of values

  friend bool operator==(const KvShape&, const KvShape&) = default;
};

// Bytes of the pages that hold `tokens` tokens.
constexpr int64_t KvBytes(const KvShape& shape, KvType type, int64_t tokens) {
  const int64_t pages = (tokens + kKvPageTokens - 1) / kKvPageTokens;
  return pages * shape.layers * 2 * KvPageBytes(type, shape.kv_heads, shape.head_size);
}

// Move-only; Fork is the copy. Not thread-safe: one reader or writer at a time, but forks are
// independent of each other.
class PagedKv {
 public:
  PagedKv(const KvShape& shape, KvType type);
  PagedKv(PagedKv&&) noexcept = default;
  PagedKv& operator=(PagedKv&&) noexcept = default;
  PagedKv(const PagedKv&) = delete;
  PagedKv& operator=(const PagedKv&) = delete;
  ~PagedKv() = default;

  // Another memory with the same tokens; O(pages), copies no page.
  PagedKv Fork() const;

  const KvShape& shape() const { return shape_; }
  KvType type() const { return type_; }
  // Tokens remembered, those of dropped pages included.
  int64_t length() const { return dropped_ + length_; }
  // Of them, tokens of dropped pages, and those that are held.
  int64_t dropped() const { return dropped_; }
  int64_t held() const { return length_; }
  // Of all pages that this memory can reach, shared ones included.
  int64_t bytes() const;

  // A forward pass over `tokens` new tokens: makes room for them in every layer (pages shared with
  // a fork are copied first), writes each layer through `Writable`, reads through `View`, and in
  // the end remembers them with Advance. Error(kOutOfMemory) when there is no room; nothing is
  // changed then.
  void Reserve(int64_t tokens);
  struct WritablePages {
    std::span<std::byte* const> keys;
    std::span<std::byte* const> values;
  };
  // Pages of a layer, valid as View's; only positions from held() to the reserved end may be
  // written.
  WritablePages Writable(int64_t layer);
  // The pages held, one behind the other. Valid until the next call that is not const.
  KvView View(int64_t layer) const;
  void Advance(int64_t tokens);

  // Bytes of one layer's keys and values of a page's tokens, which lie together: keys, then values.
  int64_t page_bytes() const { return 2 * page_bytes_; }
  // Of the held page `index`: where none was dropped, its positions begin at index · kKvPageTokens.
  // Valid as View's.
  std::span<const std::byte> PageBytes(int64_t layer, int64_t index) const;
  // Copies a page to [page_bytes()], with zeros for all but the first `slots` tokens.
  void CopyPage(int64_t layer, int64_t index, int64_t slots, std::byte* to) const;
  // Remembers `tokens` more tokens, whose pages were computed before and lie elsewhere, as long as
  // `owner` lives: [layers][pages_of_layer][page_bytes()], which are only read. The memory ends at
  // the end of a page.
  void AppendPages(int64_t tokens, const std::shared_ptr<const void>& owner, const std::byte* pages,
                   int64_t pages_of_layer);

  // Drops `count` of the pages held from `first` on, which are full: tokens behind them keep their
  // positions. `first` is the same every time.
  void Drop(int64_t first, int64_t count);

  // Forgets all tokens from `length` on (speculation that failed, a changed ending): not from
  // within what was dropped, but 0 and the tokens before it will do.
  void Truncate(int64_t length);

 private:
  // One layer's keys and values of one page's tokens. Pages that were made together share a slab,
  // which gives them large pages of the system, or a file; it lasts as long as any of them.
  struct PageStorage {
    std::shared_ptr<const void> owner;
    std::byte* data = nullptr;
    bool read_only = false;
  };
  using Page = std::shared_ptr<PageStorage>;  // shared by forks
  struct Layer {
    std::vector<Page> pages;
    std::vector<std::byte*> keys;  // of pages, as kernels want them
    std::vector<std::byte*> values;
  };

  static void Place(Layer& layer, size_t index, Page page, int64_t page_bytes);

  KvShape shape_;
  KvType type_;
  int64_t page_bytes_;     // of keys, and of values
  int64_t length_ = 0;     // tokens held
  int64_t dropped_ = 0;    // tokens of dropped pages
  int64_t drop_page_ = 0;  // the first page that was dropped
  std::vector<Layer> layers_;
};

}  // namespace tome
