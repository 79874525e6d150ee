// These functions work elementwise on the residual stream, to which layers add.
#pragma once

#include "tome/tensor/tensor.h"

namespace tome {

void AddTo(Tensor& x, const Tensor& y);
void Scale(Tensor& x, float factor);

}  // namespace tome
