// What sparse attention keeps beside the keys of a PagedKv: a summary of every full page, a
// sixty-fourth of the 16-bit keys and values, and of every full part, a sixteenth of that
// (kernels/page_choice.h).
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
  std::span<const std::byte* const> Pages(int64_t layer) const {
    return layers_[static_cast<size_t>(layer)].pages.view;
  }
  // The summaries of parts: one pointer a group, valid as long.
  std::span<const std::byte* const> Parts(int64_t layer) const {
    return layers_[static_cast<size_t>(layer)].parts.view;
  }
  int64_t bytes() const;

 private:
  // Blocks of KeySummaryBytes, of which forks share those that they did not write.
  struct Blocks {
    std::vector<std::shared_ptr<Tensor>> blocks;
    std::vector<const std::byte*> view;

    // Makes them `count`, those from `first` on this one's own. Error(kOutOfMemory).
    void Own(size_t first, size_t count, int64_t bytes);
  };
  struct Layer {
    Blocks pages;       // a part's a block
    Blocks parts;       // a group's a block
    int64_t count = 0;  // of pages summarized
  };

  KvShape shape_;
  std::vector<Layer> layers_;
};

}  // namespace tome
