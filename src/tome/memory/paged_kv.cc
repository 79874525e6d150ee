#include "tome/memory/paged_kv.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tome/base/error.h"

namespace tome {

PagedKv::PagedKv(const KvShape& shape, KvType type)
    : shape_(shape),
      type_(type),
      page_bytes_(KvPageBytes(type, shape.kv_heads, shape.head_size)),
      layers_(static_cast<size_t>(shape.layers)) {
  TOME_CHECK(shape.layers >= 1 && shape.kv_heads >= 1 && shape.head_size >= 1 &&
             shape.head_size <= kMaxHeadSize);
}

PagedKv PagedKv::Fork() const {
  PagedKv fork(shape_, type_);
  fork.length_ = length_;
  fork.dropped_ = dropped_;
  fork.drop_page_ = drop_page_;
  fork.layers_ = layers_;
  return fork;
}

int64_t PagedKv::bytes() const {
  int64_t pages = 0;
  for (const Layer& layer : layers_) pages += static_cast<int64_t>(layer.pages.size());
  return pages * 2 * page_bytes_;
}

void PagedKv::Place(Layer& layer, size_t index, Page page, int64_t page_bytes) {
  layer.keys[index] = page->data;
  layer.values[index] = page->data + page_bytes;
  layer.pages[index] = std::move(page);
}

void PagedKv::Reserve(int64_t tokens) {
  const auto needed = static_cast<size_t>((length_ + tokens + kKvPageTokens - 1) / kKvPageTokens);
  const auto first_written = static_cast<size_t>(length_ / kKvPageTokens);
  const auto is_ours = [&](const Layer& layer, size_t i) {
    return i < layer.pages.size() && layer.pages[i].use_count() == 1 && !layer.pages[i]->read_only;
  };
  int64_t count = 0;
  for (const Layer& layer : layers_) {
    for (size_t i = first_written; i < needed; ++i) count += is_ours(layer, i) ? 0 : 1;
  }
  // All pages are made before any is placed, so that running out of memory changes nothing. What
  // was not written is never read: they need no content.
  const auto slab = std::make_shared<Tensor>(DType::kU8, Shape{count, 2, page_bytes_}, Fill::kNone);
  std::byte* next = slab->data();
  std::vector<std::vector<Page>> made(layers_.size());
  for (size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    for (size_t i = first_written; i < needed; ++i) {
      if (is_ours(layer, i)) {
        made[l].push_back(nullptr);
        continue;
      }
      auto page = std::make_shared<PageStorage>(PageStorage{slab, next});
      next += 2 * page_bytes_;
      if (i < layer.pages.size()) {
        std::memcpy(page->data, layer.pages[i]->data, static_cast<size_t>(2 * page_bytes_));
      }
      made[l].push_back(std::move(page));
    }
  }
  for (size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    const size_t size = std::max(needed, layer.pages.size());
    layer.pages.resize(size);
    layer.keys.resize(size);
    layer.values.resize(size);
    for (size_t i = 0; i < made[l].size(); ++i) {
      if (made[l][i]) Place(layer, first_written + i, std::move(made[l][i]), page_bytes_);
    }
  }
}

PagedKv::WritablePages PagedKv::Writable(int64_t layer_index) {
  const Layer& layer = layers_.at(static_cast<size_t>(layer_index));
  return {.keys = layer.keys, .values = layer.values};
}

KvView PagedKv::View(int64_t layer_index) const {
  const Layer& layer = layers_.at(static_cast<size_t>(layer_index));
  return {.keys = layer.keys, .values = layer.values};
}

std::span<const std::byte> PagedKv::PageBytes(int64_t layer, int64_t index) const {
  const Layer& pages = layers_.at(static_cast<size_t>(layer));
  return {pages.pages.at(static_cast<size_t>(index))->data, static_cast<size_t>(page_bytes())};
}

void PagedKv::CopyPage(int64_t layer, int64_t index, int64_t slots, std::byte* to) const {
  const auto bytes = PageBytes(layer, index);
  std::copy(bytes.begin(), bytes.end(), to);
  for (const bool keys : {true, false}) {
    ClearKvSlots(type_, shape_.kv_heads, shape_.head_size, keys, slots,
                 to + (keys ? 0 : page_bytes_));
  }
}

void PagedKv::AppendPages(int64_t tokens, const std::shared_ptr<const void>& owner,
                          const std::byte* pages, int64_t pages_of_layer) {
  TOME_CHECK(tokens > 0 && length_ % kKvPageTokens == 0);
  const auto first = static_cast<size_t>(length_ / kKvPageTokens);
  const auto count = static_cast<size_t>((tokens + kKvPageTokens - 1) / kKvPageTokens);
  TOME_CHECK(count <= static_cast<size_t>(pages_of_layer));
  for (Layer& layer : layers_) {
    layer.pages.resize(first + count);
    layer.keys.resize(first + count);
    layer.values.resize(first + count);
    for (size_t i = 0; i < count; ++i) {
      // Never written: Reserve copies what is read-only.
      auto* const data = const_cast<std::byte*>(pages + static_cast<int64_t>(i) * page_bytes());
      Place(layer, first + i, std::make_shared<PageStorage>(PageStorage{owner, data, true}),
            page_bytes_);
    }
    pages += pages_of_layer * page_bytes();
  }
  length_ += tokens;
}

void PagedKv::Advance(int64_t tokens) {
  TOME_CHECK(tokens >= 0);
  const auto needed = static_cast<size_t>((length_ + tokens + kKvPageTokens - 1) / kKvPageTokens);
  for (const Layer& layer : layers_) TOME_CHECK(layer.pages.size() >= needed);
  length_ += tokens;
}

void PagedKv::Drop(int64_t first, int64_t count) {
  TOME_CHECK(first >= 0 && count >= 0 && (first + count) * kKvPageTokens <= length_ &&
             (dropped_ == 0 || first == drop_page_));
  const auto erase = [&](auto& of_pages) {
    of_pages.erase(of_pages.begin() + first, of_pages.begin() + first + count);
  };
  for (Layer& layer : layers_) {
    erase(layer.pages);
    erase(layer.keys);
    erase(layer.values);
  }
  drop_page_ = first;
  dropped_ += count * kKvPageTokens;
  length_ -= count * kKvPageTokens;
}

void PagedKv::Truncate(int64_t length) {
  TOME_CHECK(length >= 0 && length <= this->length());
  const int64_t before = drop_page_ * kKvPageTokens;  // what was dropped
  if (dropped_ > 0 && length <= before) {
    dropped_ = 0;
  } else {
    TOME_CHECK(dropped_ == 0 || length >= before + dropped_);
  }
  length_ = length - dropped_;
  const auto kept = static_cast<size_t>((length_ + kKvPageTokens - 1) / kKvPageTokens);
  for (Layer& layer : layers_) {
    layer.pages.resize(std::min(kept, layer.pages.size()));
    layer.keys.resize(layer.pages.size());
    layer.values.resize(layer.pages.size());
  }
}

}  // namespace tome
