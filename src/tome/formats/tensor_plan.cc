#include "tome/formats/tensor_plan.h"

#include <fmt/format.h>

#include "tome/base/error.h"

namespace tome {

int64_t TensorPlan::bytes() const {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(RowBytes(dtype, shape.row_elements()), shape.rows(), &bytes)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("tensor \"{}\": the shape {} is too large", name, ToString(shape)));
  }
  return bytes;
}

}  // namespace tome
