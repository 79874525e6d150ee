// What the tests of kernels share: every kernel set of this machine, random input, and comparison
// of bits.
//
// The expectations are plain double-precision evaluations written in each test. Their tolerances
// are bounds of rounding, not numbers that happened to pass: a float operation errs by at most the
// unit roundoff relative to its result, and a sum of n terms, in any order, by n of them relative
// to the sum of the terms' magnitudes (Higham, Accuracy and Stability of Numerical
// Algorithms, 4.2).
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tome/kernels/kernel_set.h"

namespace tome {

inline constexpr double kRoundoff = 0x1p-24;  // of float, to nearest
// Half the distance of the smallest floats: what a product may lose by underflow.
inline constexpr double kUnderflow = 0x1p-150;
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInf = std::numeric_limits<float>::infinity();

class KernelTest : public testing::TestWithParam<const KernelSet*> {
 protected:
  static const KernelSet& kernels() { return *GetParam(); }
};

inline std::vector<const KernelSet*> AllKernelSets() {
  const auto sets = AvailableKernelSets();
  return {sets.begin(), sets.end()};
}

inline std::string KernelSetName(const testing::TestParamInfo<const KernelSet*>& info) {
  std::string name(info.param->name);
  for (char& c : name) {
    if (c == '-' || c == '+' || c == ' ') c = '_';
  }
  return name;
}

inline size_t Count(int64_t size) { return static_cast<size_t>(size); }

inline std::vector<float> RandomFloats(std::mt19937& random, int64_t size, double deviation = 1) {
  std::normal_distribution<double> normal(0, deviation);
  std::vector<float> values(Count(size));
  for (float& value : values) value = static_cast<float>(normal(random));
  return values;
}

// For comparisons that tell NaNs and zeros of either sign apart.
inline std::vector<uint32_t> Bits(const std::vector<float>& values) {
  std::vector<uint32_t> bits;
  bits.reserve(values.size());
  for (const float value : values) bits.push_back(std::bit_cast<uint32_t>(value));
  return bits;
}

}  // namespace tome
