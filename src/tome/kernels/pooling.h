// Pooling makes one vector of the rows of each sequence (Reimers and Gurevych, 2019).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tome/base/thread_pool.h"

namespace tome {

enum class Pooling {
  kMean,   // the mean of all rows, [CLS] and [SEP] among them
  kFirst,  // the first row, [CLS]
  kLast,   // the last row
};

// Returns "mean", "first" or "last".
constexpr std::string_view NameOf(Pooling pooling) {
  if (pooling == Pooling::kMean) return "mean";
  return pooling == Pooling::kFirst ? "first" : "last";
}

// Says what becomes of the pooled rows.
enum class PoolScale {
  kAsIs,
  kUnit,  // y / max(|y|, 1e-12), of length 1
};

struct PoolArgs {
  const float* x = nullptr;         // [rows, width]
  std::span<const int64_t> begins;  // [sequences + 1], ascending: sequence s has the rows from
                                    // begins[s] to begins[s + 1], at least one
  int64_t width = 0;
  Pooling pooling = Pooling::kMean;
  PoolScale scale = PoolScale::kAsIs;
  float* y = nullptr;  // [sequences, width]; must not overlap x
};

}  // namespace tome
