#include "tome/kernels/hadamard.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "tests/kernels/kernel_inputs.h"

namespace tome {
namespace {

std::vector<float> Transform(const KernelSet& kernels, std::vector<float> x, int64_t heads,
                             int64_t head_size, int threads = 1) {
  ThreadPool pool(threads);
  kernels.hadamard({.x = x.data(),
                    .tokens = static_cast<int64_t>(x.size()) / (heads * head_size),
                    .heads = heads,
                    .head_size = head_size},
                   pool);
  return x;
}

// A value is multiplied by the scale (itself rounded twice), and each step adds to it. Every one of
// these costs a roundoff relative to the sum of the terms' magnitudes.
void ExpectTransformed(const std::vector<float>& x, int64_t block, const std::vector<float>& y) {
  const size_t size = Count(block);
  const double roundings = 3 + std::log2(static_cast<double>(block));
  const double scale = 1 / std::sqrt(static_cast<double>(block));
  for (size_t begin = 0; begin < x.size(); begin += size) {
    for (size_t i = 0; i < size; ++i) {
      double sum = 0;
      double magnitudes = 0;
      for (size_t j = 0; j < size; ++j) {
        const double term = scale * double{x[begin + j]};
        sum += std::popcount(i & j) % 2 == 0 ? term : -term;
        magnitudes += std::abs(term);
      }
      const double tolerance =
          1.01 * roundings * kRoundoff * magnitudes + static_cast<double>(block) * kUnderflow;
      ASSERT_NEAR(y[begin + i], sum, tolerance) << "block " << block << " at " << begin + i;
    }
  }
}

class HadamardTest : public KernelTest {};

TEST_P(HadamardTest, TransformsByHand) {
  // Blocks of four channels are scaled by a half and then hold all sums and differences.
  EXPECT_EQ(Transform(kernels(), {1, 2, 3, 4, 8, 0, 0, 0}, 2, 4),
            (std::vector<float>{5, -1, -2, 0, 4, 4, 4, 4}));
  // A head of odd size consists of blocks of one channel each.
  EXPECT_EQ(Transform(kernels(), {1, 2, 3}, 1, 3), (std::vector<float>{1, 2, 3}));
  // Six channels are three blocks of two.
  const auto root = static_cast<float>(1 / std::sqrt(2.0));
  EXPECT_EQ(Transform(kernels(), {2, 0, 0, 2, 0, 0}, 1, 6),
            (std::vector<float>{2 * root, 2 * root, 2 * root, -2 * root, 0, 0}));
}

TEST_P(HadamardTest, AgreesWithDoublePrecision) {
  std::mt19937 random(1);
  for (const int64_t head_size : {1, 2, 8, 16, 24, 32, 64, 80, 96, 128, 192, 256, 512}) {
    for (const double deviation : {1.0, 1e-4, 1e20, 1e-38}) {
      const std::vector<float> x = RandomFloats(random, 5 * 3 * head_size, deviation);
      ASSERT_NO_FATAL_FAILURE(
          ExpectTransformed(x, HadamardBlock(head_size), Transform(kernels(), x, 3, head_size)));
    }
  }
}

TEST_P(HadamardTest, IsTheSameBitsInEverySetAndOnThreads) {
  std::mt19937 random(2);
  const KernelSet& generic = *AvailableKernelSets().back();
  for (const int64_t head_size : {2, 48, 64, 80, 128, 512}) {
    const std::vector<float> x = RandomFloats(random, 130 * 4 * head_size);
    const std::vector<float> expected = Transform(generic, x, 4, head_size);
    for (const int threads : {1, 2, 4}) {
      EXPECT_TRUE(SameBits(Transform(kernels(), x, 4, head_size, threads), expected)) << head_size;
    }
  }
}

TEST_P(HadamardTest, TwiceIsNothingAndProductsStay) {
  std::mt19937 random(3);
  for (const int64_t head_size : {16, 64, 96, 128}) {
    const std::vector<float> q = RandomFloats(random, head_size);
    std::vector<float> k = RandomFloats(random, head_size);
    k[3] = 100;  // an outlier
    const std::vector<float> turned_q = Transform(kernels(), q, 1, head_size);
    const std::vector<float> turned_k = Transform(kernels(), k, 1, head_size);
    const std::vector<float> back = Transform(kernels(), turned_k, 1, head_size);
    double before = 0;
    double after = 0;
    float largest = 0;
    for (size_t i = 0; i < k.size(); ++i) {
      EXPECT_NEAR(back[i], k[i], 1e-4);
      before += double{q[i]} * double{k[i]};
      after += double{turned_q[i]} * double{turned_k[i]};
      largest = std::max(largest, std::abs(turned_k[i]));
    }
    EXPECT_NEAR(before, after, 1e-3);
    EXPECT_LT(largest, 2 * 100 / std::sqrt(static_cast<double>(HadamardBlock(head_size))) + 10);
  }
}

TEST_P(HadamardTest, NaNReachesItsBlockAndNoOther) {
  std::mt19937 random(4);
  std::vector<float> x = RandomFloats(random, 4 * 96);
  const std::vector<float> clean = Transform(kernels(), x, 2, 96);
  x[40] = kNaN;
  const std::vector<float> y = Transform(kernels(), x, 2, 96);
  for (size_t i = 0; i < y.size(); ++i) {
    if (i / 32 == 1) {
      EXPECT_TRUE(std::isnan(y[i])) << i;
    } else {
      EXPECT_EQ(y[i], clean[i]) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, HadamardTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
