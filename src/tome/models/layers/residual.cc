#include "tome/models/layers/residual.h"

#include "tome/base/error.h"

namespace tome {

void AddTo(Tensor& x, const Tensor& y) {
  TOME_CHECK(x.shape() == y.shape());
  float* sum = x.floats().data();
  const float* addend = y.floats().data();
  const int64_t size = x.shape().elements();
  for (int64_t i = 0; i < size; ++i) sum[i] += addend[i];
}

void Scale(Tensor& x, float factor) {
  for (float& value : x.floats()) value *= factor;
}

}  // namespace tome
