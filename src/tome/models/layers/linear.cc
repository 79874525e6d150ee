#include "tome/models/layers/linear.h"

#include "tome/base/error.h"

namespace tome {

void Apply(const Linear& linear, const Tensor& x, Tensor& y, const Compute& compute) {
  const int64_t tokens = x.shape()[0];
  TOME_CHECK(x.shape()[1] == linear.in() && y.shape() == (Shape{tokens, linear.out()}));
  compute.kernels.matmul(
      {.weights = linear.weight, .x = x.floats().data(), .tokens = tokens, .y = y.floats().data()},
      compute.threads);
  if (linear.bias.empty()) return;
  float* row = y.floats().data();
  for (int64_t t = 0; t < tokens; ++t, row += linear.out()) {
    for (size_t i = 0; i < linear.bias.size(); ++i) row[i] += linear.bias[i];
  }
}

}  // namespace tome
