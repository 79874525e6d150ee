#include "tome/retrieval/quantized_vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "tests/expect_error.h"
#include "tome/kernels/vector_scan.h"

namespace tome {
namespace {

using testing::HasSubstr;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

struct Quantized {
  std::vector<int8_t> values;
  std::vector<float> scales;
};

Quantized Quantize(const std::vector<float>& vectors, int64_t width) {
  Quantized result{std::vector<int8_t>(vectors.size()),
                   std::vector<float>(vectors.size() / static_cast<size_t>(width))};
  QuantizeVectors(vectors, width, result.values, result.scales);
  return result;
}

std::vector<float> RandomVector(std::mt19937& random, size_t width, double deviation = 1) {
  std::normal_distribution<double> normal(0, deviation);
  std::vector<float> x(width);
  for (float& value : x) value = static_cast<float>(normal(random));
  return x;
}

template <typename A, typename B>
double Cosine(const A& a, const B& b) {
  double product = 0;
  double aa = 0;
  double bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    product += double{1} * a[i] * b[i];
    aa += double{1} * a[i] * a[i];
    bb += double{1} * b[i] * b[i];
  }
  return product / std::sqrt(aa * bb);
}

TEST(QuantizedVectorsTest, RoundsByHand) {
  // 127 / 2 times 1 and 0.5 are 63.5 and 31.75.
  const Quantized q = Quantize({1, -2, 0.5F, 0, 0, 3}, 3);
  EXPECT_EQ(q.values, (std::vector<int8_t>{64, -127, 32, 0, 0, 127}));
  EXPECT_FLOAT_EQ(q.scales[0], static_cast<float>(1 / std::sqrt(64.0 * 64 + 127 * 127 + 32 * 32)));
  EXPECT_FLOAT_EQ(q.scales[1], 1.0F / 127);
}

TEST(QuantizedVectorsTest, EachValueIsWithinHalfAStepWhateverTheLengthOfTheVector) {
  std::mt19937 random(1);
  for (const double deviation : {1.0, 1e-3, 1e37, 1e-37, 1e-42}) {
    for (const size_t width : {1, 31, 384}) {
      const std::vector<float> x = RandomVector(random, width, deviation);
      double largest = 0;
      for (const float value : x) largest = std::max(largest, std::abs(double{value}));
      if (largest == 0) continue;
      const Quantized q = Quantize(x, static_cast<int64_t>(width));
      double length = 0;
      for (size_t i = 0; i < width; ++i) {
        EXPECT_LE(std::abs(q.values[i] - 127 * double{x[i]} / largest), 0.5 + 1e-9);
        length += std::pow(double{q.scales[0]} * q.values[i], 2);
      }
      EXPECT_NEAR(length, 1, 1e-6);
    }
  }
}

TEST(QuantizedVectorsTest, AVectorOfZerosStaysZero) {
  const Quantized q = Quantize(std::vector<float>(7), 7);
  EXPECT_EQ(q.values, std::vector<int8_t>(7));
  EXPECT_EQ(q.scales[0], 0);
}

TEST(QuantizedVectorsTest, AValueThatIsNoNumberIsAnErrorThatNamesTheVector) {
  for (const float bad : {kNaN, kInf, -kInf}) {
    for (const size_t at : {3, 5}) {
      std::vector<float> vectors(9, 1);
      vectors[at] = bad;
      EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Quantize(vectors, 3); }));
      EXPECT_THAT(ErrorText([&] { Quantize(vectors, 3); }), HasSubstr("vector 2 of 3"));
      EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { QuantizeQuery(vectors); }));
    }
  }
}

TEST(QuantizedVectorsTest, AQueryOfZerosIsAnError) {
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [] { QuantizeQuery(std::vector<float>(5)); }));
}

TEST(QuantizedVectorsTest, AQueryIsPaddedAndKeepsItsDirectionAndScansCannotOverflow) {
  std::mt19937 random(2);
  for (const size_t width : {1, 31, 384, 1024, 8192}) {
    for (const bool even : {false, true}) {
      const std::vector<float> x =
          even ? std::vector<float>(width, -0.3F) : RandomVector(random, width);
      const VectorQuery query = QuantizeQuery(x);
      ASSERT_EQ(query.values.size(), static_cast<size_t>(PaddedQuery(static_cast<int64_t>(width))));
      int64_t total = 0;
      double length = 0;
      for (size_t i = 0; i < query.values.size(); ++i) {
        total += std::abs(int64_t{query.values[i]});
        length += std::pow(double{query.scale} * query.values[i], 2);
        if (i >= width) {
          ASSERT_EQ(query.values[i], 0);
        }
      }
      EXPECT_LT(127 * total, int64_t{1} << 31);
      EXPECT_NEAR(length, 1, 1e-6);
      EXPECT_GT(Cosine(x, std::vector<int16_t>(
                              query.values.begin(),
                              query.values.begin() + static_cast<std::ptrdiff_t>(width))),
                1 - 1e-6);
    }
  }
}

std::vector<int> Decode(const std::vector<uint8_t>& nibbles, size_t width) {
  std::vector<int> code(width);
  for (size_t i = 0; i < width; ++i) {
    const uint8_t byte = nibbles[i / 128 * 64 + i % 64];
    code[i] = 2 * (i % 128 < 64 ? byte % 16 : byte / 16) - 15;
  }
  return code;
}

TEST(QuantizedVectorsTest, NibblesKeepTheDirectionAndTheProductWithTheVectorItself) {
  std::mt19937 random(3);
  for (const size_t width : {1, 31, 64, 128, 129, 384, 1024}) {
    for (int run = 0; run < 20; ++run) {
      const std::vector<float> x = RandomVector(random, width, std::pow(10.0, run - 10));
      std::vector<uint8_t> nibbles(static_cast<size_t>(NibbleBytes(static_cast<int64_t>(width))),
                                   0xFF);
      const float scale = EncodeNibbles(x, nibbles);
      const std::vector<int> code = Decode(nibbles, width);
      double product = 0;
      double squares = 0;
      for (size_t i = 0; i < width; ++i) {
        product += double{scale} * code[i] * double{x[i]};
        squares += double{x[i]} * double{x[i]};
      }
      EXPECT_NEAR(product / squares, 1, 1e-5);
      // The best uniform quantizer of 16 levels for a normal variable has a mean squared error of
      // 0.01154 (Max, 1960), hence a cosine of 0.9942.
      EXPECT_GT(Cosine(code, x), width >= 128 ? 0.99 : 0) << width;
    }
  }
  std::vector<uint8_t> nibbles(64, 0xFF);
  EXPECT_EQ(EncodeNibbles(std::vector<float>(5), nibbles), 0);
}

}  // namespace
}  // namespace tome
