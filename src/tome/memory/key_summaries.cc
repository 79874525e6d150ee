#include "tome/memory/key_summaries.h"

#include <algorithm>
#include <cstring>

#include "tome/kernels/page_choice.h"

namespace tome {

void KeySummaries::Blocks::Own(size_t first, size_t count, int64_t bytes) {
  blocks.resize(count);
  for (size_t i = first; i < count; ++i) {
    std::shared_ptr<Tensor>& block = blocks[i];
    if (block && block.use_count() == 1) continue;
    const auto old = block;
    block = std::make_shared<Tensor>(DType::kU8, Shape{bytes});
    if (old) std::memcpy(block->data(), old->data(), static_cast<size_t>(bytes));
  }
  view.resize(count);
  for (size_t i = 0; i < count; ++i) view[i] = blocks[i]->data();
}

void KeySummaries::Update(int64_t layer_index, std::span<const std::byte* const> keys, KvType type,
                          int64_t kept, int64_t length, const Compute& compute) {
  Layer& layer = layers_.at(static_cast<size_t>(layer_index));
  const int64_t bytes = KeySummaryBytes(shape_.kv_heads, shape_.head_size);
  const int64_t begin = std::min(layer.count, kept / kKvPageTokens);
  const int64_t end = length / kKvPageTokens;
  const auto blocks_of = [](int64_t of, int64_t size) {
    return static_cast<size_t>((of + size - 1) / size);
  };
  const int64_t first_part = begin / kKvPartPages;
  const int64_t whole_parts = end / kKvPartPages;
  layer.count = begin;
  layer.pages.Own(static_cast<size_t>(first_part), blocks_of(end, kKvPartPages), bytes);
  layer.parts.Own(static_cast<size_t>(first_part / kGroupParts),
                  blocks_of(whole_parts, kGroupParts), bytes);
  if (begin >= end) return;
  std::vector<std::byte*> writable;
  for (const auto& block : layer.pages.blocks) writable.push_back(block->data());
  compute.kernels.summarize_keys({.keys = keys,
                                  .summaries = writable,
                                  .type = type,
                                  .kv_heads = shape_.kv_heads,
                                  .head_size = shape_.head_size,
                                  .page_begin = begin,
                                  .page_end = end},
                                 compute.threads);
  compute.threads.ParallelFor(
      std::max<int64_t>(0, whole_parts - first_part), [&](int64_t task, int) {
        const int64_t part = first_part + task;
        const auto group = static_cast<size_t>(part / kGroupParts);
        SummarizePart(writable[static_cast<size_t>(part)], shape_.kv_heads, shape_.head_size, part,
                      layer.parts.blocks[group]->data());
      });
  layer.count = end;
}

int64_t KeySummaries::bytes() const {
  size_t blocks = 0;
  for (const Layer& layer : layers_) {
    blocks += layer.pages.blocks.size() + layer.parts.blocks.size();
  }
  return static_cast<int64_t>(blocks) * KeySummaryBytes(shape_.kv_heads, shape_.head_size);
}

}  // namespace tome
