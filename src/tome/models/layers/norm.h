// RMSNorm with its weight.
#pragma once

#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/tensor/tensor.h"

namespace tome {

struct Norm {
  std::vector<float> weight;  // [width]
  float eps = 0;
};

// Normalizes every run of norm.weight.size() values of `x` into `y`, which may be `x`: whole rows,
// or each head of a row.
void Apply(const Norm& norm, const Tensor& x, Tensor& y, const Compute& compute);

}  // namespace tome
