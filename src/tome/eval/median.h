// Medians of measurements, because other work of the machine disturbs them least.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "tome/base/error.h"

namespace tome {

// Returns the median of at least one value; of an even number of values, the upper one.
inline double MedianOf(std::vector<double> values) {
  TOME_CHECK(!values.empty());
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Returns the median of a[i] / b[i].
inline double MedianOfRatios(std::span<const double> a, std::span<const double> b) {
  TOME_CHECK(a.size() == b.size());
  std::vector<double> ratios;
  for (size_t i = 0; i < a.size(); ++i) ratios.push_back(a[i] / b[i]);
  return MedianOf(std::move(ratios));
}

}  // namespace tome
