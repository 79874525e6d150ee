// Norm is RMSNorm with its weight.
#pragma once

#include <cstdint>
#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/tensor/tensor.h"

namespace tome {

struct Norm {
  std::vector<float> weight;  // [groups, width]
  float eps = 0;
  // Parts of a row. Each part is normalized by itself and has a weight of its own.
  int64_t groups = 1;
};

// Normalizes every run of `width` values of `x` into `y`, which may be `x`. A run is a whole row,
// or a head or a group of a row.
void Normalize(const Norm& norm, const Tensor& x, Tensor& y, const Compute& compute);

}  // namespace tome
