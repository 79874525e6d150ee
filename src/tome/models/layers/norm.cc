#include "tome/models/layers/norm.h"

#include "tome/base/error.h"

namespace tome {

void Normalize(const Norm& norm, const Tensor& x, Tensor& y, const Compute& compute) {
  const int64_t width = static_cast<int64_t>(norm.weight.size()) / norm.groups;
  TOME_CHECK(x.shape() == y.shape() && x.shape().elements() % width == 0);
  compute.kernels.rms_norm({.x = x.floats().data(),
                            .weight = norm.weight.data(),
                            .y = y.floats().data(),
                            .rows = x.shape().elements() / width,
                            .width = width,
                            .groups = norm.groups,
                            .eps = norm.eps},
                           compute.threads);
}

}  // namespace tome
