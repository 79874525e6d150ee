// A TensorPlan describes a tensor that a file is going to hold.
#pragma once

#include <cstdint>
#include <string>

#include "tome/tensor/dtype.h"
#include "tome/tensor/shape.h"

namespace tome {

struct TensorPlan {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;

  // Throws Error(kInvalidArgument) when rows do not fill whole blocks or the size overflows.
  int64_t bytes() const;
};

}  // namespace tome
