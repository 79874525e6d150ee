// RMSNorm with its weight.
#pragma once

#include <cstdint>
#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/tensor/tensor.h"

namespace tome {

struct Norm {
  std::vector<float> weight;  // [groups, width]
  float eps = 0;
  int64_t groups = 1;  // parts of a row that are normalized each, with a weight of its own
};

// Normalizes every run of `width` values of `x` into `y`, which may be `x`: whole rows,
// or each head of a row.
void Apply(const Norm& norm, const Tensor& x, Tensor& y, const Compute& compute);

}  // namespace tome
