#include "tome/tensor/scale_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace tome {
namespace {

double ErrorOf(std::span<const float> x, std::span<const float> w, double scale, double offset,
               int low, int high) {
  double error = 0;
  for (size_t j = 0; j < x.size(); ++j) {
    const double x_j = x[j];
    const double q =
        scale == 0 ? 0 : std::clamp<double>(std::nearbyint((x_j - offset) / scale), low, high);
    error += double{w[j]} * (x_j - scale * q - offset) * (x_j - scale * q - offset);
  }
  return error;
}

// Returns the least error over a fine grid of scales around the one that covers the range, in
// double precision.
double GridSearch(std::span<const float> x, std::span<const float> w, int low, int high) {
  float extreme = 0;
  for (const float value : x) {
    if (std::fabs(value) > std::fabs(extreme)) extreme = value;
  }
  double best = std::numeric_limits<double>::infinity();
  for (int step = 1; step <= 4000; ++step) {
    const double scale = double{extreme} / low * step / 2000;
    best =
        std::min({best, ErrorOf(x, w, scale, 0, low, high), ErrorOf(x, w, -scale, 0, low, high)});
  }
  return best;
}

TEST(ScaleSearch, IsNearlyAsGoodAsAFineGrid) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  double ours = 0;
  double grid = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::array<float, 32> x;
    std::array<float, 32> w;
    for (size_t j = 0; j < x.size(); ++j) {
      x[j] = normal(random);
      w[j] = 0.5F + std::fabs(normal(random));
    }
    ours += ErrorOf(x, w, double{SearchScale(x, w, -8, 7)}, 0, -8, 7);
    grid += GridSearch(x, w, -8, 7);
  }
  EXPECT_LT(ours, 1.03 * grid);
}

TEST(ScaleSearch, AnExactLatticeIsFound) {
  std::vector<float> x;
  for (int q = 0; q < 16; ++q) x.push_back(-3 + 0.25F * static_cast<float>(q));
  const std::vector<float> w(x.size(), 1);
  const AffineFit fit = SearchAffine(x, w, 15, Offset::kNotPositive);
  EXPECT_NEAR(fit.scale, 0.25, 1e-6);
  EXPECT_NEAR(fit.offset, -3, 1e-6);
}

TEST(ScaleSearch, AnOffsetThatMayNotBePositiveIsNot) {
  const std::vector<float> x{4, 5, 6, 7, 8};
  const std::vector<float> w(x.size(), 1);
  const AffineFit bound = SearchAffine(x, w, 15, Offset::kNotPositive);
  EXPECT_LE(bound.offset, 0);
  // No value is farther away than half a step of the range [0, 8].
  const double half_step = 8.0 / 15 / 2;
  EXPECT_LE(ErrorOf(x, w, double{bound.scale}, double{bound.offset}, 0, 15),
            static_cast<double>(x.size()) * half_step * half_step);
  EXPECT_NEAR(SearchAffine(x, w, 15, Offset::kAny).offset, 4, 0.2);
}

// All integers of such values are the same, so a fit of scale and offset to them has no solution.
TEST(ScaleSearch, NearlyEqualValuesAreFitted) {
  std::mt19937 random(6);
  std::normal_distribution<float> normal;
  for (const float spread : {1e-7F, 1e-6F, 1e-5F, 1e-4F, 1e-3F, 1e-2F}) {
    for (int trial = 0; trial < 200; ++trial) {
      std::array<float, 32> x;
      std::array<float, 32> w;
      for (size_t j = 0; j < x.size(); ++j) {
        x[j] = 0.0462F * (1 + spread * normal(random));
        w[j] = 0.02F + std::fabs(x[j]);
      }
      for (const Offset rule : {Offset::kNotPositive, Offset::kAny}) {
        const AffineFit fit = SearchAffine(x, w, 15, rule);
        const auto [least, greatest] = std::minmax_element(x.begin(), x.end());
        const double from = rule == Offset::kAny ? double{*least} : 0;
        const double half_step = (double{*greatest} - from) / 15 / 2 + 1e-8;
        EXPECT_LE(ErrorOf(x, w, double{fit.scale}, double{fit.offset}, 0, 15),
                  std::accumulate(w.begin(), w.end(), 0.0) * half_step * half_step)
            << spread << ' ' << fit.scale << ' ' << fit.offset;
      }
    }
  }
}

TEST(ScaleSearch, NothingToFit) {
  const std::vector<float> zeros(16, 0.0F);
  const std::vector<float> w(16, 1);
  EXPECT_EQ(SearchScale(zeros, w, -8, 7), 0);
  const std::vector<float> same(16, -2.0F);
  const AffineFit fit = SearchAffine(same, w, 15, Offset::kAny);
  EXPECT_EQ(fit.scale, 0);
  EXPECT_EQ(fit.offset, -2);
}

TEST(ScaleSearch, RoundsToEvenAndClamps) {
  EXPECT_EQ(RoundClamped(2.5F, 0, 15), 2);
  EXPECT_EQ(RoundClamped(3.5F, 0, 15), 4);
  EXPECT_EQ(RoundClamped(-0.6F, -8, 7), -1);
  EXPECT_EQ(RoundClamped(1e30F, -8, 7), 7);
  EXPECT_EQ(RoundClamped(-1e30F, -8, 7), -8);
}

}  // namespace
}  // namespace tome
