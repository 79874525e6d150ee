#include "tome/eval/median.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace tome {
namespace {

TEST(MedianTest, HasHalfOfTheValuesOnEitherSide) {
  EXPECT_EQ(MedianOf({7}), 7);
  EXPECT_EQ(MedianOf({3, 1, 2}), 2);
  EXPECT_EQ(MedianOf({4, 1, 3, 2}), 3);
  std::mt19937 random(1);
  for (size_t count = 1; count <= 50; ++count) {
    std::vector<double> values;
    for (size_t i = 0; i < count; ++i) values.push_back(static_cast<double>(random() % 20));
    const double median = MedianOf(values);
    const auto below = std::ranges::count_if(values, [&](double x) { return x < median; });
    const auto above = std::ranges::count_if(values, [&](double x) { return x > median; });
    EXPECT_GE(std::ranges::count(values, median), 1);
    EXPECT_LE(below, std::ssize(values) / 2);
    EXPECT_LE(above, (std::ssize(values) - 1) / 2);
  }
}

TEST(MedianTest, ARatioIsOfValuesMeasuredTogether) {
  // The machine is ten times slower in the second round. The ratio of the medians is 10 / 3.
  EXPECT_EQ(MedianOfRatios(std::vector<double>{2, 20, 10}, std::vector<double>{1, 10, 3}), 2);
}

}  // namespace
}  // namespace tome
