// The factor of RMSNorm (norm.h), for rows that are normalized alone or as a part of a product.
#pragma once

#include <cmath>
#include <cstdint>

#include "tome/kernels/simd/simd.h"

namespace tome::TOME_KERNEL_SET {

// Returns 1 / sqrt(mean(x²) + eps) of `width` values. The mean is summed in double precision.
inline float RmsFactor(const float* x, int64_t width, float eps) {
  F64Sum squares;
  for (int64_t i = 0; i < width; i += kLanes) squares.AddSquares(LoadFirst(x + i, width - i));
  const double mean = squares.Total() / static_cast<double>(width);
  return static_cast<float>(1.0 / std::sqrt(mean + double{eps}));
}

}  // namespace tome::TOME_KERNEL_SET
