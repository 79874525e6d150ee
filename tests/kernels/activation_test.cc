#include "tome/kernels/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tests/kernels/kernel_inputs.h"

namespace tome {
namespace {

double Exact(Activation activation, double x) {
  if (activation == Activation::kSilu) return x / (1 + std::exp(-x));
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

// SiLU: exp of an exact argument, a sum, a quotient and the product with `up`: relative. Where e^-x
// passes the range of float the result is below 2^-120, and zero is as good.
// GELU: 1 + tanh cancels for negative x, so errors are relative to x: about two roundoffs from the
// argument (its slope x·tanh' is below 1/2), the rest from tanh, sum and products.
double Tolerance(Activation activation, double gate, double up) {
  const double base =
      activation == Activation::kSilu ? std::abs(Exact(activation, gate)) : std::abs(gate);
  return (8 * kRoundoff * base + 0x1p-120) * std::abs(up) + 4 * kUnderflow;
}

std::vector<float> Activate(const KernelSet& kernels, Activation activation,
                            const std::vector<float>& gate, const std::vector<float>& up) {
  std::vector<float> out(gate.size(), kNaN);
  const auto width = static_cast<int64_t>(gate.size());
  kernels.gated_activation({.gate = gate.data(),
                            .up = up.data(),
                            .out = out.data(),
                            .rows = 1,
                            .width = width,
                            .gate_stride = width,
                            .up_stride = width,
                            .activation = activation});
  return out;
}

class ActivationTest : public KernelTest {};

TEST_P(ActivationTest, KnownValues) {
  // silu(1) = 1 / (1 + 1/e), silu(−1) = −1 / (1 + e); the tanh form of GELU at ±1 is 0.8411920 and
  // −0.1588080. Large positive gates pass, large negative ones close.
  const std::vector<float> gate{0, 1, -1, 100, -100};
  const std::vector<float> up{5, 2, 2, 3, 3};
  const std::vector<float> silu = Activate(kernels(), Activation::kSilu, gate, up);
  const std::vector<float> gelu = Activate(kernels(), Activation::kGeluTanh, gate, up);
  EXPECT_EQ(silu[0], 0);
  EXPECT_NEAR(silu[1], 2 * 0.7310585786, 1e-6);
  EXPECT_NEAR(silu[2], -2 * 0.2689414214, 1e-6);
  EXPECT_NEAR(silu[3], 300, 1e-4);
  EXPECT_NEAR(silu[4], 0, 1e-30);
  EXPECT_EQ(gelu[0], 0);
  EXPECT_NEAR(gelu[1], 2 * 0.8411919906, 1e-6);
  EXPECT_NEAR(gelu[2], -2 * 0.1588080094, 1e-6);
  EXPECT_EQ(gelu[3], 300);
  EXPECT_EQ(gelu[4], 0);
}

TEST_P(ActivationTest, AgreesWithDoublePrecision) {
  std::mt19937 random(1);
  for (const Activation activation : {Activation::kSilu, Activation::kGeluTanh}) {
    for (const int64_t size : {1, 7, 33, 100, 257}) {
      for (const double deviation : {1.0, 10.0, 1e6, 1e12, 1e-10, 1e-40}) {
        const std::vector<float> gate = RandomFloats(random, size, deviation);
        const std::vector<float> up = RandomFloats(random, size);
        const std::vector<float> out = Activate(kernels(), activation, gate, up);
        for (size_t i = 0; i < out.size(); ++i) {
          ASSERT_NEAR(out[i], Exact(activation, gate[i]) * double{up[i]},
                      Tolerance(activation, gate[i], up[i]))
              << "gate " << gate[i] << " up " << up[i];
        }
      }
    }
  }
}

TEST_P(ActivationTest, AgreesAllOverTheRange) {
  for (const Activation activation : {Activation::kSilu, Activation::kGeluTanh}) {
    std::vector<float> gate;
    for (float x = -120; x <= 120; x += 0.01F) gate.push_back(x);
    const std::vector<float> up(gate.size(), 1);
    const std::vector<float> out = Activate(kernels(), activation, gate, up);
    for (size_t i = 0; i < out.size(); ++i) {
      ASSERT_NEAR(out[i], Exact(activation, gate[i]), Tolerance(activation, gate[i], 1)) << gate[i];
    }
  }
}

TEST_P(ActivationTest, ReadsStridedRowsAndMayWriteOverTheGate) {
  std::mt19937 random(2);
  for (const int64_t width : {1, 7, 33, 100}) {
    // Gate and up side by side in a row, as one matrix product gives them.
    const std::vector<float> both = RandomFloats(random, 3 * 2 * width);
    std::vector<float> gate;
    std::vector<float> up;
    for (int64_t row = 0; row < 3; ++row) {
      const auto begin = both.begin() + row * 2 * width;
      gate.insert(gate.end(), begin, begin + width);
      up.insert(up.end(), begin + width, begin + 2 * width);
    }
    std::vector<float> dense = gate;
    kernels().gated_activation({.gate = dense.data(),
                                .up = up.data(),
                                .out = dense.data(),
                                .rows = 3,
                                .width = width,
                                .gate_stride = width,
                                .up_stride = width,
                                .activation = Activation::kSilu});
    std::vector<float> strided(gate.size(), kNaN);
    kernels().gated_activation({.gate = both.data(),
                                .up = both.data() + width,
                                .out = strided.data(),
                                .rows = 3,
                                .width = width,
                                .gate_stride = 2 * width,
                                .up_stride = 2 * width,
                                .activation = Activation::kSilu});
    EXPECT_EQ(Bits(strided), Bits(dense));
    for (size_t i = 0; i < gate.size(); ++i) {
      EXPECT_NEAR(dense[i], Exact(Activation::kSilu, gate[i]) * double{up[i]},
                  Tolerance(Activation::kSilu, gate[i], up[i]));
    }
  }
}

TEST_P(ActivationTest, NaNPassesThroughGateAndUp) {
  for (const Activation activation : {Activation::kSilu, Activation::kGeluTanh}) {
    for (const size_t at : {0, 8, 32}) {
      std::vector<float> gate(33, 1);
      std::vector<float> up(33, 1);
      gate[at] = kNaN;
      up[(at + 5) % 33] = kNaN;
      const std::vector<float> out = Activate(kernels(), activation, gate, up);
      for (size_t i = 0; i < 33; ++i) {
        EXPECT_EQ(std::isnan(out[i]), i == at || i == (at + 5) % 33) << i;
      }
    }
  }
}

// A quotient, tanh (slope at most 1) and a product: relative to x where that is small, to the cap
// where it saturates.
TEST_P(ActivationTest, SoftCapAgreesWithDoublePrecisionAndNeverPassesTheCap) {
  std::mt19937 random(3);
  for (const float cap : {1.0F, 30.0F, 50.0F}) {
    for (const double deviation : {1e-40, 1e-3, 1.0, 100.0, 1e30}) {
      for (const int64_t size : {1, 7, 33, 100, 257}) {
        const std::vector<float> x = RandomFloats(random, size, deviation);
        std::vector<float> y = x;
        kernels().soft_cap({.x = y.data(), .size = size, .cap = cap});
        for (size_t i = 0; i < y.size(); ++i) {
          const double expected = double{cap} * std::tanh(double{x[i]} / double{cap});
          ASSERT_NEAR(y[i], expected,
                      8 * kRoundoff * std::abs(expected) + 2 * kUnderflow * (1 + double{cap}))
              << x[i];
          ASSERT_LE(std::abs(y[i]), cap);
        }
      }
    }
  }
  std::vector<float> y{1, kNaN, kInf, -kInf};
  kernels().soft_cap({.x = y.data(), .size = 4, .cap = 30});
  EXPECT_TRUE(std::isnan(y[1]));
  EXPECT_EQ(y[2], 30);
  EXPECT_EQ(y[3], -30);
}

INSTANTIATE_TEST_SUITE_P(Sets, ActivationTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
