#include "tome/tensor/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tests/expect_error.h"

namespace tome {
namespace {

constexpr DType kQuantized[]{DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ5_1,
                             DType::kQ8_0, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K};

std::vector<float> RoundTrip(DType dtype, const std::vector<float>& values) {
  std::vector<std::byte> row(
      static_cast<size_t>(RowBytes(dtype, static_cast<int64_t>(values.size()))));
  EncodeRow(dtype, values, row.data());
  std::vector<float> out(values.size());
  DecodeRow(dtype, row.data(), out);
  return out;
}

double RootMeanSquareError(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double miss = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += miss * miss;
  }
  return std::sqrt(sum / static_cast<double>(a.size()));
}

std::vector<float> Normal(size_t count, float mean, float deviation, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

TEST(Codec, ErrorOfNormalWeightsStaysBelowThatOfUniformSteps) {
  // A block's values span some 4 to 6 deviations. With L levels over a span S, rounding alone has
  // the deviation S / (L - 1) / sqrt(12). S is 5.5, which 32 normal values rarely exceed; a K type
  // loses a little to its coarse scales.
  const auto values = Normal(256 * 64, 0, 0.02F, 1);
  const auto bound = [](double levels) { return 0.02 * 5.5 / (levels - 1) / std::sqrt(12.0); };
  for (const DType dtype : kQuantized) {
    const std::string name(NameOf(dtype));
    const double levels = std::pow(2.0, name[1] - '0');
    EXPECT_LT(RootMeanSquareError(values, RoundTrip(dtype, values)), bound(levels)) << name;
  }
}

TEST(Codec, ScaleAndSignDoNotMatter) {
  const auto values = Normal(256 * 8, 0, 1, 2);
  for (const DType dtype : kQuantized) {
    const double error = RootMeanSquareError(values, RoundTrip(dtype, values));
    for (const float factor : {-1.0F, 1024.0F, -0.125F}) {
      auto scaled = values;
      for (float& value : scaled) value *= factor;
      const double scaled_error =
          RootMeanSquareError(scaled, RoundTrip(dtype, scaled)) / std::fabs(double{factor});
      EXPECT_NEAR(scaled_error, error, 0.05 * error) << NameOf(dtype) << " times " << factor;
    }
  }
}

TEST(Codec, WhatATypeHoldsExactlyComesBack) {
  // Values are multiples of a power of two in the range of each type's integers. Every block
  // contains both ends.
  std::mt19937 random(3);
  for (const DType dtype : {DType::kQ4_0, DType::kQ5_0, DType::kQ8_0, DType::kQ6_K}) {
    const int low = dtype == DType::kQ4_0   ? -8
                    : dtype == DType::kQ5_0 ? -16
                    : dtype == DType::kQ8_0 ? -127
                                            : -32;
    std::vector<float> values(512);
    for (size_t i = 0; i < values.size(); ++i) {
      const int q = low + static_cast<int>(random() % static_cast<uint32_t>(-2 * low));
      values[i] = 0.25F * static_cast<float>(i % 16 == 0 ? low : q);
    }
    EXPECT_LT(RootMeanSquareError(values, RoundTrip(dtype, values)), 1e-3) << NameOf(dtype);
  }
}

TEST(Codec, ZerosAndConstantsComeBack) {
  for (const DType dtype : kQuantized) {
    const std::vector<float> zeros(512, 0.0F);
    EXPECT_EQ(RoundTrip(dtype, zeros), zeros) << NameOf(dtype);
    for (const float constant : {1.0F, -3.0F}) {
      const std::vector<float> values(512, constant);
      // A scale is a half times a small integer. A half has 11 bits, and a K type's roundings lose
      // some.
      for (const float value : RoundTrip(dtype, values)) {
        EXPECT_NEAR(value, constant, 0.02 * std::fabs(constant)) << NameOf(dtype);
      }
    }
  }
}

TEST(Codec, OneOutlierAndTinyValuesStayFinite) {
  for (const DType dtype : kQuantized) {
    for (const float scale : {1e-30F, 1e-9F, 1e-6F, 1.0F, 600.0F}) {
      auto values = Normal(512, 0, scale, 4);
      values[100] = 100 * scale;
      const auto decoded = RoundTrip(dtype, values);
      // The bound is half a step of the coarsest type, plus what the smallest half times 8 levels
      // can add.
      const float bound = 100 * scale / 14 + 1e-6F;
      for (size_t i = 0; i < values.size(); ++i) {
        ASSERT_LE(std::fabs(decoded[i] - values[i]), bound) << NameOf(dtype) << ' ' << scale;
      }
    }
  }
}

TEST(Codec, RefusesWhatScalesCannotHold) {
  std::vector<std::byte> row(1024);
  for (const DType dtype : kQuantized) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(), 65536.0F, -1e30F}) {
      std::vector<float> values(256, 1.0F);
      values[200] = bad;
      EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { EncodeRow(dtype, values, row.data()); }))
          << NameOf(dtype) << ' ' << bad;
    }
  }
  const std::vector<float> values(31, 1.0F);
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { EncodeRow(DType::kQ8_0, values, row.data()); }));
  EXPECT_TRUE(Fails(Code::kUnsupported, [&] { EncodeRow(DType::kI8, values, row.data()); }));
}

TEST(Codec, TensorsDecodeRowByRow) {
  Tensor tensor(DType::kF16, {2, 3});
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  EncodeRow(DType::kF16, values, tensor.data());
  const Tensor decoded = DecodeTensor(tensor.view());
  EXPECT_EQ(decoded.shape(), (Shape{2, 3}));
  EXPECT_TRUE(std::equal(values.begin(), values.end(), decoded.floats().begin()));
}

}  // namespace
}  // namespace tome
