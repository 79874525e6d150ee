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
  fork.layers_ = layers_;
  return fork;
}

int64_t PagedKv::bytes() const {
  int64_t pages = 0;
  for (const Layer& layer : layers_) pages += static_cast<int64_t>(layer.pages.size());
  return pages * 2 * page_bytes_;
}

PagedKv::Page PagedKv::NewPage() const {
  return std::make_shared<Tensor>(DType::kU8, Shape{2, page_bytes_});
}

void PagedKv::Place(Layer& layer, size_t index, Page page, int64_t page_bytes) {
  layer.keys[index] = page->data();
  layer.values[index] = page->data() + page_bytes;
  layer.pages[index] = std::move(page);
}

void PagedKv::Reserve(int64_t tokens) {
  const auto needed = static_cast<size_t>((length_ + tokens + kKvPageTokens - 1) / kKvPageTokens);
  const auto first_written = static_cast<size_t>(length_ / kKvPageTokens);
  // All pages are made before any is placed, so that running out of memory changes nothing.
  std::vector<std::pair<size_t, std::vector<Page>>> made(layers_.size());
  for (size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    for (size_t i = first_written; i < needed; ++i) {
      const bool present = i < layer.pages.size();
      if (present && layer.pages[i].use_count() == 1) {
        made[l].second.push_back(nullptr);  // ours alone already
        continue;
      }
      Page page = NewPage();
      if (present)
        std::memcpy(page->data(), layer.pages[i]->data(), static_cast<size_t>(2 * page_bytes_));
      made[l].second.push_back(std::move(page));
    }
  }
  for (size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    const size_t size = std::max(needed, layer.pages.size());
    layer.pages.resize(size);
    layer.keys.resize(size);
    layer.values.resize(size);
    for (size_t i = 0; i < made[l].second.size(); ++i) {
      if (made[l].second[i])
        Place(layer, first_written + i, std::move(made[l].second[i]), page_bytes_);
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

void PagedKv::Advance(int64_t tokens) {
  TOME_CHECK(tokens >= 0);
  const auto needed = static_cast<size_t>((length_ + tokens + kKvPageTokens - 1) / kKvPageTokens);
  for (const Layer& layer : layers_) TOME_CHECK(layer.pages.size() >= needed);
  length_ += tokens;
}

void PagedKv::Truncate(int64_t length) {
  TOME_CHECK(length >= 0 && length <= length_);
  length_ = length;
  const auto kept = static_cast<size_t>((length + kKvPageTokens - 1) / kKvPageTokens);
  for (Layer& layer : layers_) {
    layer.pages.resize(std::min(kept, layer.pages.size()));
    layer.keys.resize(layer.pages.size());
    layer.values.resize(layer.pages.size());
  }
}

}  // namespace tome
