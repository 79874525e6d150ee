// y = x Wᵀ + b.
#pragma once

#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/tensor/tensor.h"

namespace tome {

struct Linear {
  TensorView weight;        // [out, in]
  std::vector<float> bias;  // [out], or empty

  int64_t out() const { return weight.shape[0]; }
  int64_t in() const { return weight.shape[1]; }
};

// x [T, in] → y [T, out]; y is overwritten.
void Apply(const Linear& linear, const Tensor& x, Tensor& y, const Compute& compute);

}  // namespace tome
