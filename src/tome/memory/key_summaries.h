// KeySummaries are what sparse attention keeps beside the keys of a PagedKv
// (kernels/page_choice.h): a summary of every full page, a sixty-fourth of the size of the 16-bit
// keys and values, and one of every full part; these take a sixteenth of that again.
//
// Summaries are computed from the pages alone, so the pages may be computed or restored. Forks
// share summaries until one writes.
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

// A copy is a fork.
class KeySummaries {
 public:
  explicit KeySummaries(const KvShape& shape)
      : shape_(shape), layers_(static_cast<size_t>(shape.layers)) {}

  // Summarizes the full pages of positions [0, length) of a layer. Pages before position `kept`
  // must be as they were at the last call; their summaries stay. `keys` are the layer's pages, of
  // `type`. Throws Error(kOutOfMemory).
  void Update(int64_t layer, std::span<const std::byte* const> keys, KvType type, int64_t kept,
              int64_t length, const Compute& compute);
  // Returns the summaries of pages, one pointer a part; valid until the next Update of the layer.
  std::span<const std::byte* const> Pages(int64_t layer) const {
    return layers_[static_cast<size_t>(layer)].pages.view;
  }
  // Returns the summaries of parts, one pointer a group (kGroupParts); valid as long.
  std::span<const std::byte* const> Parts(int64_t layer) const {
    return layers_[static_cast<size_t>(layer)].parts.view;
  }
  int64_t bytes() const;

 private:
  // A list of blocks of KeySummaryBytes each. Forks share the blocks that they did not write.
  struct Blocks {
    std::vector<std::shared_ptr<Tensor>> blocks;
    std::vector<const std::byte*> view;

    // Makes the list `count` blocks long and those from `first` on its own. Throws
    // Error(kOutOfMemory).
    void Own(size_t first, size_t count, int64_t bytes);
  };
  struct Layer {
    Blocks pages;       // one block a part
    Blocks parts;       // one block a group
    int64_t count = 0;  // pages summarized
  };

  KvShape shape_;
  std::vector<Layer> layers_;
};

}  // namespace tome
