#include "tome/tensor/shape.h"

#include <fmt/format.h>

#include "tome/base/error.h"

namespace tome {

Shape::Shape(std::initializer_list<int64_t> dims)
    : Shape(std::span<const int64_t>(dims.begin(), dims.size())) {}

Shape::Shape(std::span<const int64_t> dims) : rank_(static_cast<int>(dims.size())) {
  if (dims.size() > kMaxRank) {
    throw Error(
        Code::kInvalidArgument,
        fmt::format("a tensor of {} dimensions; at most {} are supported", dims.size(), kMaxRank));
  }
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] < 0 || __builtin_mul_overflow(elements_, dims[i], &elements_)) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("the shape [{}] is negative or overflows", fmt::join(dims, ", ")));
    }
    dims_[i] = dims[i];
  }
}

int64_t Shape::rows() const {
  int64_t rows = 1;
  for (int axis = 0; axis + 1 < rank_; ++axis) rows *= (*this)[axis];
  return rows;
}

std::string ToString(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape.dims(), ", "));
}

}  // namespace tome
