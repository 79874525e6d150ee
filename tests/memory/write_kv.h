// Writes keys and values into the pages of a memory, as a model's attention layer does.
#pragma once

#include <cstdint>
#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/memory/paged_kv.h"

namespace tome {

// Writes a layer's [count, G, D] floats after the tokens that `kv` remembers. Room for them must
// have been reserved.
inline void WriteKv(PagedKv& kv, int64_t layer, const std::vector<float>& keys,
                    const std::vector<float>& values, ThreadPool& threads) {
  const KvShape& shape = kv.shape();
  const auto count = static_cast<int64_t>(keys.size()) / (shape.kv_heads * shape.head_size);
  for (const PagedKv::WritablePages& pages : kv.Writable(layer)) {
    SelectKernelSet().write_kv({.k = keys.data(),
                                .v = values.data(),
                                .keys = pages.keys,
                                .values = pages.values,
                                .type = pages.type,
                                .tokens = count,
                                .first_position = kv.length(),
                                .kv_heads = shape.kv_heads,
                                .head_size = shape.head_size},
                               threads);
  }
}

}  // namespace tome
