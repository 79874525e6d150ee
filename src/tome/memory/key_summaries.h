// What sparse attention keeps beside the keys of a PagedKv: a summary of every full page
// (kernels/page_choice.h), a sixty-fourth of the 16-bit keys and values.
//
// Summaries are computed from the pages, so a memory may come by these as it likes. Forks share
// summaries until one writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/memory/paged_kv.h"
#include "tome/tensor/tensor.h"

namespace tome {

// Copies are forks.
class KeySummaries {
 public:
  explicit KeySummaries(const KvShape& shape)
      : shape_(shape), layers_(static_cast<size_t>(shape.layers)) {}

  // Makes the summaries of a layer those of the full pages of [0, length), of which all before
  // position `kept` are as they were at the last call; `keys` are its pages, of `type`.
  // Error(kOutOfMemory).
  void Update(int64_t layer, std::span<const std::byte* const> keys, KvType type, int64_t kept,
              int64_t length, const Compute& compute);
  // One pointer a part; valid until the next Update of the layer.
  std::span<const std::byte* const> View(int64_t layer) const {
    return layers_[static_cast<size_t>(layer)].view;
  }
  int64_t bytes() const;

 private:
  struct Layer {
    std::vector<std::shared_ptr<Tensor>> parts;
    std::vector<const std::byte*> view;  // of parts
    int64_t pages = 0;                   // summarized
  };

  KvShape shape_;
  std::vector<Layer> layers_;
};

}  // namespace tome
