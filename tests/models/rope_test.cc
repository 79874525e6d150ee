#include "tome/models/layers/rope.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace tome {
namespace {

std::vector<double> Frequencies(const RopeConfig& config, int64_t max_tokens = 4096) {
  const RopeFrequencies frequencies(config, max_tokens);
  return {frequencies.frequencies().begin(), frequencies.frequencies().end()};
}

RopeConfig Plain(int64_t dimensions = 64, double base = 10000) {
  RopeConfig config;
  config.base = base;
  config.dimensions = dimensions;
  config.original_context = 4096;
  return config;
}

RopeConfig Scaled(RopeScalingType type, double factor) {
  RopeConfig config = Plain();
  config.type = type;
  config.factor = factor;
  return config;
}

void ExpectClose(const std::vector<double>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 1e-13 * expected[i]) << i;
  }
}

TEST(RopeFrequenciesTest, ArePowersOfTheBase) {
  // 10000^(−2i/8) = 10^−i for each pair i.
  ExpectClose(Frequencies(Plain(8)), {1, 0.1, 0.01, 0.001});
  EXPECT_EQ(RopeFrequencies(Plain(), 4096).attention_factor(), 1);
}

TEST(RopeFrequenciesTest, LinearDividesAllByTheFactor) {
  RopeConfig config = Scaled(RopeScalingType::kLinear, 4);
  config.dimensions = 8;
  ExpectClose(Frequencies(config), {0.25, 0.025, 0.0025, 0.00025});
}

TEST(RopeFrequenciesTest, AFactorOfOneIsPlainForEveryScaling) {
  for (const RopeScalingType type : {RopeScalingType::kLinear, RopeScalingType::kYarn,
                                     RopeScalingType::kLlama3, RopeScalingType::kDynamicNtk}) {
    SCOPED_TRACE(static_cast<int>(type));
    ExpectClose(Frequencies(Scaled(type, 1)), Frequencies(Plain()));
    EXPECT_EQ(RopeFrequencies(Scaled(type, 1), 4096).attention_factor(), 1);
  }
}

// Checks the divisors of the frequencies of a scaling that stretches low frequencies and keeps high
// ones.
void ExpectDivisorsGrow(const std::vector<double>& scaled, double factor) {
  const std::vector<double> plain = Frequencies(Plain());
  double before = 1;
  for (size_t i = 0; i < plain.size(); ++i) {
    const double divisor = plain[i] / scaled[i];
    EXPECT_GE(divisor, before - 1e-12) << i;
    EXPECT_LE(divisor, factor + 1e-12) << i;
    before = divisor;
  }
  EXPECT_NEAR(plain.front() / scaled.front(), 1, 1e-12);
  EXPECT_NEAR(plain.back() / scaled.back(), factor, 1e-9);
}

TEST(RopeFrequenciesTest, Llama3DivisorsGrowFromOneToTheFactor) {
  const std::vector<double> scaled = Frequencies(Scaled(RopeScalingType::kLlama3, 8));
  ExpectDivisorsGrow(scaled, 8);
  // Wavelengths below 4096 / 4 are kept, those above 4096 / 1 are divided by the whole factor.
  const std::vector<double> plain = Frequencies(Plain());
  for (size_t i = 0; i < plain.size(); ++i) {
    const double wavelength = 2 * M_PI / plain[i];
    if (wavelength < 1024) {
      EXPECT_EQ(scaled[i], plain[i]) << i;
    }
    if (wavelength > 4096) {
      EXPECT_NEAR(scaled[i], plain[i] / 8, 1e-12 * plain[i]) << i;
    }
  }
}

TEST(RopeFrequenciesTest, YarnDivisorsGrowFromOneToTheFactor) {
  ExpectDivisorsGrow(Frequencies(Scaled(RopeScalingType::kYarn, 4)), 4);
  // The paper gives √(1/t) = 0.1 ln s + 1.
  EXPECT_NEAR(RopeFrequencies(Scaled(RopeScalingType::kYarn, 4), 1).attention_factor(),
              1.1386294361, 1e-10);
  RopeConfig given = Scaled(RopeScalingType::kYarn, 4);
  given.attention_factor = 0.75;
  EXPECT_EQ(RopeFrequencies(given, 1).attention_factor(), 0.75);
}

TEST(RopeFrequenciesTest, DynamicNtkIsPlainUpToTheOriginalContext) {
  const RopeConfig config = Scaled(RopeScalingType::kDynamicNtk, 2);
  for (const int64_t length : {0, 1, 100, 4095, 4096}) {
    ExpectClose(Frequencies(config, length), Frequencies(Plain()));
  }
  // Beyond the original context low frequencies fall, and the lowest falls by the stretch
  // 2 · L / 4096 − 1 itself: the base grows by stretch^(d / (d − 2)), and the exponent of the last
  // pair is (d − 2) / d.
  const std::vector<double> longer = Frequencies(config, 8192);
  EXPECT_EQ(longer.front(), 1);
  EXPECT_NEAR(Frequencies(Plain()).back() / longer.back(), 3, 1e-9);
  EXPECT_GT(longer.back(), Frequencies(config, 16384).back());
}

TEST(RopeFrequenciesTest, LongRopePicksItsFactorsByTheLength) {
  RopeConfig config = Plain(8);
  config.type = RopeScalingType::kLongRope;
  config.factor = 16;
  config.short_factors = {1, 2, 4, 8};
  config.long_factors = {10, 20, 40, 80};
  ExpectClose(Frequencies(config, 1), {1, 0.05, 0.0025, 0.000125});
  ExpectClose(Frequencies(config, 4096), {1, 0.05, 0.0025, 0.000125});
  ExpectClose(Frequencies(config, 4097), {0.1, 0.005, 0.00025, 0.0000125});
  // The factor is √(1 + ln 16 / ln 4096) = √(4/3) for both short and long texts.
  EXPECT_NEAR(RopeFrequencies(config, 1).attention_factor(), std::sqrt(4.0 / 3), 1e-12);
}

TEST(RopeFrequenciesTest, ReadyMadeDivisorsApply) {
  RopeConfig config = Plain(8);
  config.divisors = {1, 2, 4, 8};
  ExpectClose(Frequencies(config), {1, 0.05, 0.0025, 0.000125});
}

TEST(RopeTableTest, AnglesArePreciseAtAMillionPositions) {
  for (const double base : {10000.0, 500000.0, 1e6}) {
    const RopeFrequencies frequencies(Plain(128, base), 1 << 21);
    for (const int64_t position : {0, 1, 1000, 1000000}) {
      RopeTable table;
      frequencies.Append(position, 2, table);
      ASSERT_EQ(table.cos.size(), 128U);
      ASSERT_EQ(table.sin.size(), 128U);
      for (size_t i = 0; i < 128; ++i) {
        const auto pair = static_cast<long double>(i % 64);
        const auto at = static_cast<long double>(position + static_cast<int64_t>(i / 64));
        const long double angle = at * std::pow(static_cast<long double>(base), -2 * pair / 128);
        // The tolerance is the table's roundoff, 2^-25 below 1, and double's in an angle of 1e6: a
        // few 2^-53 · 1e6.
        const double tolerance = 0x1p-25 + 8e6 * 0x1p-53;
        EXPECT_NEAR(table.cos[i], static_cast<double>(std::cos(angle)), tolerance) << position;
        EXPECT_NEAR(table.sin[i], static_cast<double>(std::sin(angle)), tolerance) << position;
      }
    }
  }
}

TEST(RopeTableTest, TheAttentionFactorMultipliesBothAndRowsAppend) {
  RopeConfig config = Plain(2);
  config.attention_factor = 2;
  RopeTable table;
  RopeFrequencies(config, 10).Append(0, 1, table);
  RopeFrequencies(config, 10).Append(3, 1, table);
  ASSERT_EQ(table.cos.size(), 2U);
  EXPECT_EQ(table.cos[0], 2);
  EXPECT_EQ(table.sin[0], 0);
  EXPECT_NEAR(table.cos[1], 2 * std::cos(3.0), 1e-6);
  EXPECT_NEAR(table.sin[1], 2 * std::sin(3.0), 1e-6);
}

}  // namespace
}  // namespace tome
