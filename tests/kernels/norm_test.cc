#include "tome/kernels/norm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/kernel_inputs.h"

namespace tome {
namespace {

std::vector<float> Normalize(const KernelSet& kernels, const std::vector<float>& x,
                             const std::vector<float>& weight, float eps, int threads = 1) {
  std::vector<float> y(x.size(), kNaN);
  const auto width = static_cast<int64_t>(weight.size());
  ThreadPool pool(threads);
  kernels.rms_norm({.x = x.data(),
                    .weight = weight.data(),
                    .y = y.data(),
                    .rows = static_cast<int64_t>(x.size()) / width,
                    .width = width,
                    .eps = eps},
                   pool);
  return y;
}

// The mean is summed in double. Only the factor and two products round, which makes three
// roundoffs, and small results may underflow.
void ExpectNormalized(const std::vector<float>& x, const std::vector<float>& weight, float eps,
                      const std::vector<float>& y) {
  const size_t width = weight.size();
  for (size_t row = 0; row < x.size(); row += width) {
    double squares = 0;
    for (size_t i = 0; i < width; ++i) squares += double{x[row + i]} * double{x[row + i]};
    const double root = std::sqrt(squares / static_cast<double>(width) + double{eps});
    for (size_t i = 0; i < width; ++i) {
      const double expected = double{weight[i]} * double{x[row + i]} / root;
      const double tolerance =
          4 * kRoundoff * std::abs(expected) + 4 * kUnderflow * (1 + std::abs(double{weight[i]}));
      ASSERT_NEAR(y[row + i], expected, tolerance) << "width " << width << " at " << row + i;
    }
  }
}

class NormTest : public KernelTest {};

TEST_P(NormTest, NormalizesByHand) {
  // mean(3², 4², 0², 5²) = 12.5; with eps 3.5 the root is 4.
  EXPECT_EQ(Normalize(kernels(), {3, 4, 0, 5}, {1, 2, 1, -4}, 3.5F),
            (std::vector<float>{0.75, 2, 0, -5}));
}

TEST_P(NormTest, AgreesWithDoublePrecision) {
  std::mt19937 random(1);
  for (const int64_t width : {1, 7, 16, 33, 100, 257, 4096}) {
    for (const int64_t rows : {1, 3, 7}) {
      // Squares of 1e20 exceed the range of float, squares of 1e-30 fall below it.
      for (const double deviation : {1.0, 1e-4, 1e6, 1e20, 1e-30}) {
        const std::vector<float> x = RandomFloats(random, rows * width, deviation);
        const std::vector<float> weight = RandomFloats(random, width);
        for (const float eps : {1e-5F, 1e-6F}) {
          ASSERT_NO_FATAL_FAILURE(
              ExpectNormalized(x, weight, eps, Normalize(kernels(), x, weight, eps)));
        }
      }
    }
  }
}

TEST_P(NormTest, AZeroRowStaysZero) {
  EXPECT_EQ(Normalize(kernels(), std::vector<float>(33), std::vector<float>(33, 2), 1e-6F),
            std::vector<float>(33));
}

TEST_P(NormTest, WorksInPlaceRowByRowAndOnThreadsWithTheSameBits) {
  std::mt19937 random(2);
  // Each of the wide rows is a task; several narrow rows share one.
  for (const auto& [width, rows] :
       {std::pair<int64_t, int64_t>{7, 3000}, {100, 200}, {257, 5}, {4100, 9}}) {
    const std::vector<float> x = RandomFloats(random, rows * width);
    const std::vector<float> weight = RandomFloats(random, width);
    const auto expected = Bits(Normalize(kernels(), x, weight, 1e-6F));
    for (const int threads : {2, 4}) {
      EXPECT_EQ(Bits(Normalize(kernels(), x, weight, 1e-6F, threads)), expected);
    }
    std::vector<float> same = x;
    ThreadPool pool(2);
    kernels().rms_norm({.x = same.data(),
                        .weight = weight.data(),
                        .y = same.data(),
                        .rows = rows,
                        .width = width,
                        .eps = 1e-6F},
                       pool);
    EXPECT_EQ(Bits(same), expected);
    std::vector<uint32_t> alone;
    for (int64_t row = 0; row < rows; ++row) {
      const std::vector<float> one(x.begin() + row * width, x.begin() + (row + 1) * width);
      const auto bits = Bits(Normalize(kernels(), one, weight, 1e-6F));
      alone.insert(alone.end(), bits.begin(), bits.end());
    }
    EXPECT_EQ(alone, expected);
  }
}

TEST_P(NormTest, NaNReachesItsRowAndNoOther) {
  std::mt19937 random(3);
  const std::vector<float> weight = RandomFloats(random, 33);
  std::vector<float> x = RandomFloats(random, 3 * 33);
  const std::vector<float> clean = Normalize(kernels(), x, weight, 1e-6F);
  for (const size_t at : {33, 50, 65}) {
    std::vector<float> dirty = x;
    dirty[at] = kNaN;
    const std::vector<float> y = Normalize(kernels(), dirty, weight, 1e-6F);
    for (size_t i = 0; i < y.size(); ++i) {
      if (i / 33 == 1) {
        EXPECT_TRUE(std::isnan(y[i])) << i;
      } else {
        EXPECT_EQ(y[i], clean[i]) << i;
      }
    }
  }
}

struct Layer {
  std::vector<float> weight;
  std::vector<float> bias;  // empty: none
  float eps = 1e-5F;
};

std::vector<float> NormalizeLayer(const KernelSet& kernels, const std::vector<float>& x,
                                  const std::vector<float>& residual, const Layer& layer,
                                  int threads = 1) {
  std::vector<float> y(x.size(), kNaN);
  const auto width = static_cast<int64_t>(layer.weight.size());
  ThreadPool pool(threads);
  kernels.layer_norm({.x = x.data(),
                      .residual = residual.empty() ? nullptr : residual.data(),
                      .weight = layer.weight.data(),
                      .bias = layer.bias.empty() ? nullptr : layer.bias.data(),
                      .y = y.data(),
                      .rows = static_cast<int64_t>(x.size()) / width,
                      .width = width,
                      .eps = layer.eps},
                     pool);
  return y;
}

// The sum with the residual is rounded, and so are the mean and the difference from it. After that,
// the factor and three operations round.
void ExpectLayer(const std::vector<float>& x, const std::vector<float>& residual,
                 const Layer& layer, const std::vector<float>& y) {
  const size_t width = layer.weight.size();
  for (size_t row = 0; row < x.size(); row += width) {
    std::vector<double> t(width);
    double mean = 0;
    double most = 0;
    for (size_t i = 0; i < width; ++i) {
      t[i] = residual.empty() ? double{x[row + i]} : double{x[row + i] + residual[row + i]};
      mean += t[i] / static_cast<double>(width);
      most = std::max(most, std::abs(t[i]));
    }
    double variance = 0;
    for (const double value : t) {
      variance += (value - mean) * (value - mean) / static_cast<double>(width);
    }
    const double root = std::sqrt(variance + double{layer.eps});
    for (size_t i = 0; i < width; ++i) {
      const double bias = layer.bias.empty() ? 0 : double{layer.bias[i]};
      const double scaled = double{layer.weight[i]} * (t[i] - mean) / root;
      // An error of every difference by r moves the root by r at most.
      const double off = 2 * kRoundoff * most / root;
      const double tolerance =
          std::abs(double{layer.weight[i]}) * off * (1 + std::abs(t[i] - mean) / root) +
          6 * kRoundoff * (std::abs(scaled) + std::abs(bias)) + 4 * kUnderflow;
      ASSERT_NEAR(y[row + i], scaled + bias, tolerance) << "width " << width << " at " << row + i;
    }
  }
}

TEST_P(NormTest, LayerNormByHand) {
  // The mean of 1, 3, 5, 7 is 4 and their variance 5; with eps 4 the root is 3.
  const Layer layer{.weight = {1, 3, 1, -2}, .bias = {0, 1, 0, 1}, .eps = 4};
  const std::vector<float> y = NormalizeLayer(kernels(), {1, 2, 5, 4}, {0, 1, 0, 3}, layer);
  const std::vector<float> expected{-1, 0, 1.0F / 3, -1};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(y[i], expected[i], 1e-6);
}

TEST_P(NormTest, LayerNormAgreesWithDoublePrecision) {
  std::mt19937 random(5);
  for (const int64_t width : {1, 7, 16, 33, 100, 257, 1024}) {
    for (const double deviation : {1.0, 1e-4, 1e6}) {
      for (const bool full : {false, true}) {
        const std::vector<float> x = RandomFloats(random, 3 * width, deviation);
        const std::vector<float> residual =
            full ? RandomFloats(random, 3 * width, deviation) : std::vector<float>();
        const Layer layer{.weight = RandomFloats(random, width),
                          .bias = full ? RandomFloats(random, width) : std::vector<float>()};
        ASSERT_NO_FATAL_FAILURE(
            ExpectLayer(x, residual, layer, NormalizeLayer(kernels(), x, residual, layer)));
      }
    }
  }
}

TEST_P(NormTest, LayerNormWorksInPlaceAndOnThreadsWithTheSameBits) {
  std::mt19937 random(6);
  for (const auto& [width, rows] : {std::pair<int64_t, int64_t>{7, 3000}, {100, 200}, {4100, 9}}) {
    const std::vector<float> x = RandomFloats(random, rows * width);
    const std::vector<float> residual = RandomFloats(random, rows * width);
    const Layer layer{.weight = RandomFloats(random, width), .bias = RandomFloats(random, width)};
    const auto expected = Bits(NormalizeLayer(kernels(), x, residual, layer));
    EXPECT_EQ(Bits(NormalizeLayer(kernels(), x, residual, layer, 3)), expected);
    for (const bool over_residual : {false, true}) {
      std::vector<float> same = over_residual ? residual : x;
      ThreadPool pool(2);
      kernels().layer_norm({.x = over_residual ? x.data() : same.data(),
                            .residual = over_residual ? same.data() : residual.data(),
                            .weight = layer.weight.data(),
                            .bias = layer.bias.data(),
                            .y = same.data(),
                            .rows = rows,
                            .width = width,
                            .eps = layer.eps},
                           pool);
      EXPECT_EQ(Bits(same), expected);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, NormTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
