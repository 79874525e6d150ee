#include "tome/memory/key_summaries.h"

#include <algorithm>
#include <cstring>

namespace tome {

void KeySummaries::Update(int64_t layer_index, std::span<const std::byte* const> keys, KvType type,
                          int64_t kept, int64_t length, const Compute& compute) {
  Layer& layer = layers_.at(static_cast<size_t>(layer_index));
  const int64_t begin = std::min(layer.pages, kept / kKvPageTokens);
  const int64_t end = length / kKvPageTokens;
  const auto parts = static_cast<size_t>((end + kKvPartPages - 1) / kKvPartPages);
  layer.pages = begin;
  layer.parts.resize(parts);
  std::vector<std::byte*> writable(parts);
  for (auto i = static_cast<size_t>(begin / kKvPartPages); i < parts; ++i) {
    std::shared_ptr<Tensor>& part = layer.parts[i];
    if (!part || part.use_count() > 1) {
      const auto old = part;
      part = std::make_shared<Tensor>(DType::kU8,
                                      Shape{KeySummaryBytes(shape_.kv_heads, shape_.head_size)});
      if (old) std::memcpy(part->data(), old->data(), static_cast<size_t>(part->view().bytes()));
    }
    writable[i] = part->data();
  }
  layer.view.resize(parts);
  for (size_t i = 0; i < parts; ++i) layer.view[i] = layer.parts[i]->data();
  if (begin >= end) return;
  compute.kernels.summarize_keys({.keys = keys,
                                  .summaries = writable,
                                  .type = type,
                                  .kv_heads = shape_.kv_heads,
                                  .head_size = shape_.head_size,
                                  .page_begin = begin,
                                  .page_end = end},
                                 compute.threads);
  layer.pages = end;
}

int64_t KeySummaries::bytes() const {
  size_t parts = 0;
  for (const Layer& layer : layers_) parts += layer.parts.size();
  return static_cast<int64_t>(parts) * KeySummaryBytes(shape_.kv_heads, shape_.head_size);
}

}  // namespace tome
