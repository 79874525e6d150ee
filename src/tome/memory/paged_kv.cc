#include "tome/memory/paged_kv.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/mapped_file.h"
#include "tome/memory/spill.h"
#include "tome/tensor/tensor.h"

namespace tome {
namespace {

size_t PagesOf(int64_t tokens) {
  return static_cast<size_t>((tokens + kKvPageTokens - 1) / kKvPageTokens);
}

// Returns the first position of the part that `position` lies in.
int64_t PartBegin(int64_t position) { return position / kKvPartTokens * kKvPartTokens; }

}  // namespace

std::string KindOf(KvType type) {
  return std::string(NameOf(type)) + (RotatesKeys(type) ? " rotated" : "");
}

int64_t LocalPagesToStore(const KvTypes& types, int64_t first, int64_t tokens) {
  if (!types.mixed()) return 0;
  const auto pages = static_cast<int64_t>(PagesOf(tokens));
  if (tokens != kKvPartTokens) return pages;
  return std::clamp<int64_t>(kKvSinkPages - first / kKvPageTokens, 0, pages);
}

PagedKv::Pages::Pages(KvType type, const KvShape& shape)
    : type_(type),
      half_(KvPageBytes(type, shape.kv_heads, shape.head_size)),
      layers_(static_cast<size_t>(shape.layers)) {}

int64_t PagedKv::Pages::bytes() const {
  const auto& pages = layers_.front().pages;  // all layers are alike
  const auto count =
      std::count_if(pages.begin(), pages.end(), [](const Page& page) { return page != nullptr; });
  return static_cast<int64_t>(count * std::ssize(layers_)) * page_bytes();
}

void PagedKv::Pages::PlaceOne(Layer& layer, size_t index, Page page) {
  layer.keys[index] = page->data;
  layer.values[index] = page->data + half_;
  layer.pages[index] = std::move(page);
}

std::vector<std::vector<PagedKv::Page>> PagedKv::Pages::MakeOwn(size_t first, size_t end) const {
  const auto is_ours = [&](const Layer& layer, size_t i) {
    return i < layer.pages.size() && layer.pages[i].use_count() == 1 && !layer.pages[i]->read_only;
  };
  int64_t count = 0;
  for (const Layer& layer : layers_) {
    for (size_t i = first; i < end; ++i) count += is_ours(layer, i) ? 0 : 1;
  }
  // A slot is not read before it is written, so new pages need no content.
  const auto slab = std::make_shared<Tensor>(DType::kU8, Shape{count, 2, half_}, Fill::kNone);
  std::byte* next = slab->data();
  std::vector<std::vector<Page>> made(layers_.size());
  for (size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    for (size_t i = first; i < end; ++i) {
      if (is_ours(layer, i)) {
        made[l].push_back(nullptr);
        continue;
      }
      auto page = std::make_shared<PageStorage>(PageStorage{slab, next});
      next += page_bytes();
      if (i < layer.pages.size() && layer.pages[i]) {
        std::memcpy(page->data, layer.pages[i]->data, static_cast<size_t>(page_bytes()));
      }
      made[l].push_back(std::move(page));
    }
  }
  return made;
}

void PagedKv::Pages::Place(size_t first, std::vector<std::vector<Page>> made) {
  for (size_t l = 0; l < layers_.size(); ++l) {
    for (size_t i = 0; i < made[l].size(); ++i) {
      if (made[l][i]) PlaceOne(layers_[l], first + i, std::move(made[l][i]));
    }
  }
}

void PagedKv::Pages::PlaceStored(size_t first, size_t count,
                                 const std::shared_ptr<const void>& owner, const std::byte* pages,
                                 int64_t stored) {
  for (Layer& layer : layers_) {
    for (size_t i = 0; i < count; ++i) {
      // Nothing is written through this pointer: MakeOwn copies read-only pages.
      auto* const data = const_cast<std::byte*>(pages + static_cast<int64_t>(i) * page_bytes());
      PlaceOne(layer, first + i,
               std::make_shared<PageStorage>(
                   PageStorage{.owner = owner, .data = data, .read_only = true}));
    }
    pages += stored * page_bytes();
  }
}

void PagedKv::Pages::Resize(size_t count) {
  for (Layer& layer : layers_) {
    layer.pages.resize(count);
    layer.keys.resize(count);
    layer.values.resize(count);
  }
}

void PagedKv::Pages::LetGo(size_t first, size_t end) {
  for (Layer& layer : layers_) {
    for (size_t i = first; i < std::min(end, layer.pages.size()); ++i) {
      layer.pages[i] = nullptr;
      layer.keys[i] = layer.values[i] = nullptr;
    }
  }
}

bool PagedKv::Pages::Has(size_t first, size_t end) const {
  const Layer& layer = layers_.front();  // all layers are alike
  return std::all_of(layer.pages.begin() + static_cast<ptrdiff_t>(first),
                     layer.pages.begin() + static_cast<ptrdiff_t>(end),
                     [](const Page& page) { return page != nullptr; });
}

int64_t PagedKv::Pages::resident_bytes() const {
  const auto& pages = layers_.front().pages;  // all layers are alike
  const auto count = std::count_if(pages.begin(), pages.end(), [](const Page& page) {
    return page != nullptr && !page->read_only;
  });
  return static_cast<int64_t>(count * std::ssize(layers_)) * page_bytes();
}

bool PagedKv::Pages::IsResident(size_t page) const {
  const Page& first = layers_.front().pages.at(page);
  return first && !first->read_only;
}

std::vector<std::span<const std::byte>> PagedKv::Pages::PiecesOf(size_t first, size_t end) const {
  std::vector<std::span<const std::byte>> pieces;
  for (const Layer& layer : layers_) {
    for (size_t i = first; i < end; ++i) {
      pieces.emplace_back(layer.pages.at(i)->data, static_cast<size_t>(page_bytes()));
    }
  }
  return pieces;
}

template <typename Function>
void PagedKv::Pages::ForMapped(int64_t layer_index, const Function& function) const {
  const Layer& layer = layers_.at(static_cast<size_t>(layer_index));
  const std::byte* begin = nullptr;
  const std::byte* end = nullptr;
  for (const Page& page : layer.pages) {
    if (!page || !page->read_only) continue;
    if (page->data != end) {
      if (begin != nullptr) function(std::span(begin, end));
      begin = page->data;
    }
    end = page->data + page_bytes();
  }
  if (begin != nullptr) function(std::span(begin, end));
}

PagedKv::PagedKv(const KvShape& shape, KvTypes types)
    : shape_(shape), types_(types), main_(types.main, shape) {
  TOME_CHECK(shape.layers >= 1 && shape.kv_heads >= 1 && shape.head_size >= 1 &&
             shape.head_size <= kMaxHeadSize);
  if (types.mixed()) local_.emplace(types.local, shape);
}

PagedKv PagedKv::Fork() const {
  PagedKv fork(shape_, types_);
  fork.length_ = length_;
  fork.dropped_ = dropped_;
  fork.drop_page_ = drop_page_;
  fork.main_ = main_;
  fork.local_ = local_;
  fork.max_bytes_ = max_bytes_;
  fork.spill_ = spill_;
  return fork;
}

int64_t PagedKv::bytes() const { return main_.bytes() + (local_ ? local_->bytes() : 0); }

void PagedKv::Limit(int64_t max_bytes, std::shared_ptr<SpillFile> file) {
  TOME_CHECK(max_bytes >= 0 && file);
  max_bytes_ = max_bytes;
  spill_ = std::move(file);
}

int64_t PagedKv::resident_bytes() const {
  return main_.resident_bytes() + (local_ ? local_->resident_bytes() : 0);
}

int64_t PagedKv::Room() const { return max_bytes_ - bytes() / shape_.layers - resident_bytes(); }

bool PagedKv::IsFull() const {
  const int64_t part =
      kKvPartPages * shape_.layers * (page_bytes() + (local_ ? local_page_bytes() : 0));
  return spill_ && Room() < part;
}

void PagedKv::ReplacePages(int64_t first, const StoredPages& pages) {
  TOME_CHECK(first % kKvPartTokens == 0 && first + kKvPartTokens <= length_ &&
             pages.count == kKvPartPages);
  main_.PlaceStored(static_cast<size_t>(first / kKvPageTokens), static_cast<size_t>(kKvPartPages),
                    pages.owner, pages.pages, pages.count);
}

void PagedKv::Spill(int64_t end, int64_t bytes) {
  int64_t missing = bytes - Room();
  for (int64_t first = 0; first + kKvPartTokens <= end && missing > 0; first += kKvPartTokens) {
    const auto page = static_cast<size_t>(first / kKvPageTokens);
    if (!main_.IsResident(page)) continue;
    const SpillFile::Mapped mapped =
        spill_->Put(main_.PiecesOf(page, page + static_cast<size_t>(kKvPartPages)));
    ReplacePages(first,
                 {.owner = mapped.owner, .pages = mapped.bytes.data(), .count = kKvPartPages});
    missing -= kKvPartPages * page_bytes() * shape_.layers;
  }
}

void PagedKv::PrefetchNextLayer(int64_t layer) const {
  if (spill_) main_.ForMapped((layer + 1) % shape_.layers, PrefetchPages);
}

void PagedKv::EndLayer(int64_t layer) const {
  if (spill_) main_.ForMapped(layer, ReleasePages);
}

void PagedKv::Reserve(int64_t tokens) {
  if (spill_) {
    const int64_t pages = (tokens + kKvPageTokens - 1) / kKvPageTokens + 1;
    Spill(PartBegin(length_) - kKvPartTokens,
          pages * shape_.layers * (page_bytes() + (local_ ? local_page_bytes() : 0)));
  }
  const size_t needed = PagesOf(length_ + tokens);
  const auto first = static_cast<size_t>(length_ / kKvPageTokens);
  // All pages are made before any is placed, so that running out of memory changes nothing.
  auto main = main_.MakeOwn(first, needed);
  decltype(main) local;
  if (local_) local = local_->MakeOwn(first, needed);
  const size_t size = std::max(needed, main_.layer(0).pages.size());
  main_.Resize(size);
  main_.Place(first, std::move(main));
  if (!local_) return;
  local_->Resize(size);
  local_->Place(first, std::move(local));
  local_->LetGo(static_cast<size_t>(kKvSinkPages),
                static_cast<size_t>(PartBegin(length_) / kKvPageTokens));
}

std::vector<PagedKv::WritablePages> PagedKv::Writable(int64_t layer) {
  std::vector<WritablePages> all;
  for (const Pages* pages : {&main_, local_ ? &*local_ : nullptr}) {
    if (pages == nullptr) continue;
    all.push_back({.type = pages->type(),
                   .keys = pages->layer(layer).keys,
                   .values = pages->layer(layer).values});
  }
  return all;
}

KvView PagedKv::View(int64_t layer, int64_t position) const {
  const Layer& main = main_.layer(layer);
  if (!local_) return {.keys = main.keys, .values = main.values};
  const Layer& local = local_->layer(layer);
  return {.keys = local.keys,
          .values = local.values,
          .main_keys = main.keys,
          .main_values = main.values,
          .main_type = types_.main,
          .local_begin = PartBegin(position) / kKvPageTokens};
}

int64_t PagedKv::ViewEnd(int64_t position) const {
  return local_ ? PartBegin(position) + kKvPartTokens : std::numeric_limits<int64_t>::max();
}

std::span<const std::byte> PagedKv::PageBytes(int64_t layer, int64_t index) const {
  return {main_.layer(layer).pages.at(static_cast<size_t>(index))->data,
          static_cast<size_t>(page_bytes())};
}

std::span<const std::byte> PagedKv::LocalPageBytes(int64_t layer, int64_t index) const {
  const Page& page = local_->layer(layer).pages.at(static_cast<size_t>(index));
  if (!page) return {};
  return {page->data, static_cast<size_t>(local_page_bytes())};
}

void PagedKv::ClearSlots(KvType type, int64_t slots, std::byte* page) const {
  const int64_t half = PageBytesOf(type) / 2;
  ClearKvSlots(type, shape_.kv_heads, shape_.head_size, KvSide::kKeys, slots, page);
  ClearKvSlots(type, shape_.kv_heads, shape_.head_size, KvSide::kValues, slots, page + half);
}

void PagedKv::AppendPages(int64_t tokens, const StoredPages& stored) {
  const auto first = static_cast<size_t>(length_ / kKvPageTokens);
  const size_t count = PagesOf(tokens);
  TOME_CHECK(tokens > 0 && length_ % kKvPageTokens == 0 &&
             count <= static_cast<size_t>(stored.count));
  main_.Resize(first + count);
  main_.PlaceStored(first, count, stored.owner, stored.pages, stored.count);
  if (local_) {
    TOME_CHECK(length_ % kKvPartTokens == 0);
    const auto local = std::min(count, static_cast<size_t>(stored.local_count));
    local_->Resize(first + count);
    local_->PlaceStored(first, local, stored.owner, stored.local, stored.local_count);
    TOME_CHECK(local == count || tokens % kKvPartTokens == 0);
  }
  length_ += tokens;
}

void PagedKv::Advance(int64_t tokens) {
  TOME_CHECK(tokens >= 0);
  TOME_CHECK(main_.layer(0).pages.size() >= PagesOf(length_ + tokens));
  length_ += tokens;
}

void PagedKv::Pages::Erase(size_t first, size_t count) {
  const auto erase = [&](auto& of_pages) {
    const auto begin = of_pages.begin() + static_cast<ptrdiff_t>(first);
    of_pages.erase(begin, begin + static_cast<ptrdiff_t>(count));
  };
  for (Layer& layer : layers_) {
    erase(layer.pages);
    erase(layer.keys);
    erase(layer.values);
  }
}

void PagedKv::Drop(int64_t first, int64_t count) {
  TOME_CHECK(!local_ && !spill_ && first >= 0 && count >= 0 &&
             (first + count) * kKvPageTokens <= length_ && (dropped_ == 0 || first == drop_page_));
  main_.Erase(static_cast<size_t>(first), static_cast<size_t>(count));
  drop_page_ = first;
  dropped_ += count * kKvPageTokens;
  length_ -= count * kKvPageTokens;
}

int64_t PagedKv::Truncate(int64_t length) {
  TOME_CHECK(length >= 0 && length <= this->length());
  const int64_t before = drop_page_ * kKvPageTokens;  // tokens before the dropped ones
  if (dropped_ > 0 && length <= before) {
    dropped_ = 0;
  } else {
    TOME_CHECK(dropped_ == 0 || length >= before + dropped_);
  }
  length -= dropped_;
  if (local_ &&
      !local_->Has(static_cast<size_t>(PartBegin(length) / kKvPageTokens), PagesOf(length))) {
    length = PartBegin(length);
  }
  length_ = length;
  const size_t kept = std::min(PagesOf(length), main_.layer(0).pages.size());
  main_.Resize(kept);
  if (local_) local_->Resize(kept);
  return dropped_ + length;
}

}  // namespace tome
