// The residual stream: what layers add to.
#pragma once

#include "tome/tensor/tensor.h"

namespace tome {

// x += y, elementwise.
void AddTo(Tensor& x, const Tensor& y);
// x *= factor.
void Scale(Tensor& x, float factor);

}  // namespace tome
