#include "tome/kernels/mass_bins.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace tome {
namespace {

double ExactMass(const std::vector<float>& scores, const std::vector<uint8_t>& taken) {
  const double largest = double{*std::max_element(scores.begin(), scores.end())};
  double inside = 0;
  double all = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    const double weight = std::exp(double{scores[i]} - largest);
    all += weight;
    if (taken[i] != 0) inside += weight;
  }
  return inside / all;
}

TEST(MassBinsTest, TakesByScoreWhatHoldsTheMassAndHardlyMore) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 300; ++trial) {
    const size_t count = 1 + random() % 200;
    std::normal_distribution<float> normal(0, trial % 3 == 0 ? 0.1F : trial % 3 == 1 ? 3 : 30);
    std::vector<float> scores(count);
    for (float& score : scores) score = normal(random);
    std::vector<uint8_t> before(count);
    for (uint8_t& taken : before) taken = random() % 8 == 0 ? 1 : 0;
    const double mass = std::uniform_real_distribution<double>(0.1, 0.999)(random);

    const MassBins bins(scores);
    std::vector<uint8_t> taken = before;
    bins.Take(mass, taken);
    EXPECT_GE(ExactMass(scores, taken), mass - 1e-9);
    float least = std::numeric_limits<float>::infinity();  // of the added scores
    float most_left = -std::numeric_limits<float>::infinity();
    for (size_t i = 0; i < count; ++i) {
      EXPECT_GE(taken[i], before[i]);
      if (taken[i] == 0) most_left = std::max(most_left, scores[i]);
      if (taken[i] > before[i]) least = std::min(least, scores[i]);
    }
    EXPECT_GE(least, most_left);
    // Without the things of the last bin the mass is not reached, even if all weights are off by a
    // bin's width.
    std::vector<uint8_t> fewer = before;
    for (size_t i = 0; i < count; ++i) {
      if (scores[i] > least + 1.0F / 16) fewer[i] = 1;
    }
    if (least != std::numeric_limits<float>::infinity()) {
      const double odds = ExactMass(scores, fewer) / (1 - ExactMass(scores, fewer));
      EXPECT_LT(odds * std::exp(-1.0 / 8), mass / (1 - mass) * (1 + 1e-9));
    }
    // MassOf gives taken and other things alike the weight of their bin's upper edge.
    const double exact = ExactMass(scores, taken);
    const double off = std::exp(1.0 / 16) * (1 + 1e-6);
    if (exact < 1 - 1e-9) {  // otherwise the weights below the last bin show
      const double odds = bins.MassOf(taken) / (1 - bins.MassOf(taken));
      EXPECT_LT(odds, exact / (1 - exact) * off);
      EXPECT_GT(odds * off, exact / (1 - exact));
    }
  }
}

TEST(MassBinsTest, WhatIsNoNumberIsTaken) {
  std::vector<float> scores(40, -50.0F);
  scores[7] = std::numeric_limits<float>::quiet_NaN();
  scores[20] = 0;
  std::vector<uint8_t> taken(scores.size());
  MassBins(scores).Take(0.9, taken);
  EXPECT_EQ(taken[7], 1);
  EXPECT_EQ(taken[20], 1);
  EXPECT_EQ(std::count(taken.begin(), taken.end(), uint8_t{1}), 2);
}

}  // namespace
}  // namespace tome
