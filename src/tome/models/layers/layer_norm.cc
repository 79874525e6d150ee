#include "tome/models/layers/layer_norm.h"

#include "tome/base/error.h"

namespace tome {

void NormalizeLayer(const LayerNorm& norm, Tensor& x, const Compute& compute) {
  const auto width = static_cast<int64_t>(norm.weight.size());
  TOME_CHECK(x.shape().row_elements() == width);
  compute.kernels.layer_norm({.x = x.floats().data(),
                              .weight = norm.weight.data(),
                              .bias = norm.bias.empty() ? nullptr : norm.bias.data(),
                              .y = x.floats().data(),
                              .rows = x.shape().rows(),
                              .width = width,
                              .eps = norm.eps},
                             compute.threads);
}

}  // namespace tome
