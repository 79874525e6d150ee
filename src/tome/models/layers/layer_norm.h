// LayerNorm with its weight and bias.
#pragma once

#include <cstdint>
#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/tensor/tensor.h"

namespace tome {

struct LayerNorm {
  std::vector<float> weight;  // [width]
  std::vector<float> bias;    // [width], or empty
  float eps = 0;
};

// Normalizes every row of x [T, width] in place.
void NormalizeLayer(const LayerNorm& norm, Tensor& x, const Compute& compute);

}  // namespace tome
