// Provides every kernel set of this machine, random input, and comparison of bits for the tests of
// kernels.
//
// The expectations are plain double-precision evaluations written in each test. Their tolerances
// are bounds of rounding, not numbers that happened to pass: a float operation errs by at most the
// unit roundoff relative to its result, and a sum of n terms, in any order, errs by at most n
// roundoffs relative to the sum of the terms' magnitudes (Higham, Accuracy and Stability of
// Numerical Algorithms, 4.2).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tome/kernels/kernel_set.h"
#include "tome/tensor/tensor.h"

namespace tome {

inline constexpr double kRoundoff = 0x1p-24;  // of float, rounded to nearest
// A product may lose half the distance between the smallest floats by underflow.
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

// How a set rounds (matmul.h, attention.h) follows from its name.
inline bool IsGeneric(const KernelSet& kernels) { return kernels.name == "generic"; }
inline bool HasBF16Dot(const KernelSet& kernels) {
  return kernels.name == "avx512-bf16" || kernels.name == "amx";
}
inline bool HasSixteenLanes(const KernelSet& kernels) {
  return kernels.name == "amx" || kernels.name.starts_with("avx512");
}

inline size_t Count(int64_t size) { return static_cast<size_t>(size); }

// Guarded is aligned memory of exactly the size that a kernel asked for. It starts as NaNs (all
// bits set), so that reading before writing shows. IsIntact returns false after a write beyond its
// end.
class Guarded {
 public:
  explicit Guarded(int64_t bytes)
      : size_(Count(bytes)), tensor_(DType::kU8, {bytes + kGuard}, Fill::kNone) {
    std::memset(tensor_.data(), 0xFF, size_);
    std::memset(tensor_.data() + size_, 0x5A, Count(kGuard));
  }
  std::byte* data() { return tensor_.data(); }
  const std::byte* data() const { return tensor_.data(); }
  std::vector<std::byte> bytes() const { return {data(), data() + size_}; }
  bool IsIntact() const {
    const std::byte* const end = data() + size_;
    return std::all_of(end, end + kGuard, [](std::byte b) { return b == std::byte{0x5A}; });
  }

 private:
  static constexpr int64_t kGuard = 256;
  size_t size_;
  Tensor tensor_;
};

inline std::vector<float> RandomFloats(std::mt19937& random, int64_t size, double deviation = 1) {
  std::normal_distribution<double> normal(0, deviation);
  std::vector<float> values(Count(size));
  for (float& value : values) value = static_cast<float>(normal(random));
  return values;
}

// Returns bits for comparisons that tell NaNs and zeros of either sign apart.
inline std::vector<uint32_t> Bits(const std::vector<float>& values) {
  std::vector<uint32_t> bits;
  bits.reserve(values.size());
  for (const float value : values) bits.push_back(std::bit_cast<uint32_t>(value));
  return bits;
}

// Compares bits as well, but reports only the first difference.
inline testing::AssertionResult SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return testing::AssertionFailure() << a.size() << " of " << b.size();
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::bit_cast<uint32_t>(a[i]) == std::bit_cast<uint32_t>(b[i])) continue;
    return testing::AssertionFailure() << "[" << i << "] " << a[i] << " and " << b[i];
  }
  return testing::AssertionSuccess();
}

}  // namespace tome
