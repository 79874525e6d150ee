#include "tome/kernels/pooling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/kernel_inputs.h"

namespace tome {
namespace {

std::vector<float> Pooled(const KernelSet& kernels, const std::vector<float>& x,
                          const std::vector<int64_t>& begins, int64_t width, Pooling pooling,
                          PoolScale scale, int threads = 1) {
  std::vector<float> y((begins.size() - 1) * Count(width), kNaN);
  ThreadPool pool(threads);
  kernels.pool({.x = x.data(),
                .begins = begins,
                .width = width,
                .pooling = pooling,
                .scale = scale,
                .y = y.data()},
               pool);
  return y;
}

class PoolingTest : public KernelTest {};

TEST_P(PoolingTest, ByHand) {
  const std::vector<float> x{3, 4, 0, 0, 9, 12, 5, 12};
  const std::vector<int64_t> begins{0, 3, 4};
  EXPECT_EQ(Pooled(kernels(), x, begins, 2, Pooling::kMean, PoolScale::kAsIs),
            (std::vector<float>{4, 16.0F / 3, 5, 12}));
  EXPECT_EQ(Pooled(kernels(), x, begins, 2, Pooling::kFirst, PoolScale::kAsIs),
            (std::vector<float>{3, 4, 5, 12}));
  EXPECT_EQ(Pooled(kernels(), x, begins, 2, Pooling::kLast, PoolScale::kAsIs),
            (std::vector<float>{9, 12, 5, 12}));
  const std::vector<float> unit =
      Pooled(kernels(), x, begins, 2, Pooling::kFirst, PoolScale::kUnit);
  EXPECT_NEAR(unit[0], 0.6, 1e-7);
  EXPECT_NEAR(unit[1], 0.8, 1e-7);
}

TEST_P(PoolingTest, AgreesWithDoublePrecision) {
  std::mt19937 random(1);
  const std::vector<int64_t> begins{0, 1, 3, 67, 68, 400, 1000};
  for (const int64_t width : {1, 7, 16, 33, 384}) {
    const std::vector<float> x = RandomFloats(random, begins.back() * width);
    const std::vector<float> mean =
        Pooled(kernels(), x, begins, width, Pooling::kMean, PoolScale::kAsIs);
    const std::vector<float> unit =
        Pooled(kernels(), x, begins, width, Pooling::kMean, PoolScale::kUnit);
    for (size_t s = 0; s + 1 < begins.size(); ++s) {
      const auto rows = static_cast<double>(begins[s + 1] - begins[s]);
      double squares = 0;
      for (int64_t i = 0; i < width; ++i) {
        double sum = 0;
        double size = 0;
        for (int64_t r = begins[s]; r < begins[s + 1]; ++r) {
          sum += double{x[Count(r * width + i)]};
          size += std::abs(double{x[Count(r * width + i)]});
        }
        const float here = mean[s * Count(width) + Count(i)];
        // At most 64 rows and then their sums are added.
        ASSERT_NEAR(here, sum / rows, kRoundoff * (64 + rows / 64 + 2) * size / rows);
        squares += double{here} * double{here};
      }
      for (int64_t i = 0; i < width; ++i) {
        const size_t at = s * Count(width) + Count(i);
        ASSERT_NEAR(unit[at], double{mean[at]} / std::sqrt(squares), 3 * kRoundoff);
      }
    }
  }
}

TEST_P(PoolingTest, AZeroVectorStaysZero) {
  EXPECT_EQ(Pooled(kernels(), std::vector<float>(10), {0, 2}, 5, Pooling::kMean, PoolScale::kUnit),
            std::vector<float>(5));
}

TEST_P(PoolingTest, SequencesAndThreadsDoNotChangeABit) {
  std::mt19937 random(2);
  const std::vector<int64_t> begins{0, 5, 100, 101, 300};
  const std::vector<float> x = RandomFloats(random, begins.back() * 33);
  const auto all = Pooled(kernels(), x, begins, 33, Pooling::kMean, PoolScale::kUnit);
  EXPECT_TRUE(SameBits(Pooled(kernels(), x, begins, 33, Pooling::kMean, PoolScale::kUnit, 3), all));
  for (size_t s = 0; s + 1 < begins.size(); ++s) {
    EXPECT_TRUE(SameBits(
        Pooled(kernels(), x, {begins[s], begins[s + 1]}, 33, Pooling::kMean, PoolScale::kUnit),
        {all.begin() + static_cast<ptrdiff_t>(s) * 33,
         all.begin() + static_cast<ptrdiff_t>(s + 1) * 33}));
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, PoolingTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
