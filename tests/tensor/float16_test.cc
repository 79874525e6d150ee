#include "tome/tensor/float16.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace tome {
namespace {

// Returns the value of a half by its definition, in double precision.
double ValueOf(uint16_t half) {
  const double sign = (half & 0x8000) != 0 ? -1 : 1;
  const int exponent = half >> 10 & 0x1F;
  const int fraction = half & 0x3FF;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

bool IsFinite(uint16_t half) { return (half & 0x7C00) != 0x7C00; }

TEST(Float16, EveryFiniteHalfIsItsValueAndComesBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    if (!IsFinite(half)) continue;
    EXPECT_EQ(static_cast<double>(FloatFromF16(half)), ValueOf(half)) << bits;
    EXPECT_EQ(F16FromFloat(FloatFromF16(half)), half) << bits;
  }
}

TEST(Float16, BetweenTwoHalvesTheNearerIsTakenAndTheEvenOneOfATie) {
  for (uint16_t low = 0; low < 0x7BFF; ++low) {
    const auto high = static_cast<uint16_t>(low + 1);
    const auto middle = static_cast<float>((ValueOf(low) + ValueOf(high)) / 2);  // exact
    const uint16_t even = low % 2 == 0 ? low : high;
    EXPECT_EQ(F16FromFloat(middle), even) << low;
    EXPECT_EQ(F16FromFloat(std::nextafter(middle, 0.0F)), low) << low;
    EXPECT_EQ(F16FromFloat(std::nextafter(middle, 1e9F)), high) << low;
    EXPECT_EQ(F16FromFloat(-middle), even | 0x8000) << low;
  }
}

TEST(Float16, OverflowsFromHalfwayAboveTheLargest) {
  constexpr float kHalfway = 65520;
  EXPECT_EQ(F16FromFloat(std::nextafter(kHalfway, 0.0F)), 0x7BFF);
  EXPECT_EQ(F16FromFloat(kHalfway), 0x7C00);
  EXPECT_EQ(F16FromFloat(-std::numeric_limits<float>::max()), 0xFC00);
  EXPECT_EQ(FloatFromF16(0x7C00), std::numeric_limits<float>::infinity());
  EXPECT_EQ(F16FromFloat(-std::numeric_limits<float>::infinity()), 0xFC00);
}

TEST(Float16, NanStaysNanWithItsSign) {
  const auto quiet_with_payload = std::bit_cast<float>(0xFFC02000U);
  EXPECT_EQ(F16FromFloat(quiet_with_payload), 0xFE01);
  // The payload's only bit is lost in a half; the result must still not become infinity.
  EXPECT_EQ(F16FromFloat(std::bit_cast<float>(0x7F800001U)), 0x7E00);
  EXPECT_TRUE(std::isnan(FloatFromF16(0x7C01)));
  EXPECT_TRUE(std::isnan(FloatFromF16(0xFE00)));
}

TEST(BFloat16, IsTheUpperHalfRoundedToNearestEven) {
  for (uint32_t bits = 0; bits < 0x7F80; ++bits) {
    const auto low = static_cast<uint16_t>(bits);
    EXPECT_EQ(BF16FromFloat(FloatFromBF16(low)), low);
    const uint32_t tie = bits << 16 | 0x8000;
    const auto even = static_cast<uint16_t>(bits + bits % 2);
    EXPECT_EQ(BF16FromFloat(std::bit_cast<float>(tie)), even);
    EXPECT_EQ(BF16FromFloat(std::bit_cast<float>(tie - 1)), low);
    EXPECT_EQ(BF16FromFloat(std::bit_cast<float>(tie + 1)), low + 1);
  }
  EXPECT_EQ(BF16FromFloat(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_EQ(BF16FromFloat(std::bit_cast<float>(0x7F800001U)), 0x7FC0);  // NaN, not infinity
}

}  // namespace
}  // namespace tome
