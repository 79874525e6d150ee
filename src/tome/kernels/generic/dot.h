// The sum of products that the generic matrix product, attention and retention share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tome::generic {

// Returns Σ a[i] b[i]. It has sixteen partial sums, so that compilers can use vector registers
// without reordering additions. The order of summation depends only on `size`.
inline float Dot(const float* a, const float* b, int64_t size) {
  constexpr int64_t kLanes = 16;
  std::array<float, kLanes> sums{};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      sums[static_cast<size_t>(lane)] += a[i + lane] * b[i + lane];
    }
  }
  for (int64_t lane = 0; i < size; ++i, ++lane) sums[static_cast<size_t>(lane)] += a[i] * b[i];
  for (size_t width = kLanes / 2; width > 0; width /= 2) {
    for (size_t lane = 0; lane < width; ++lane) sums[lane] += sums[lane + width];
  }
  return sums[0];
}

}  // namespace tome::generic
