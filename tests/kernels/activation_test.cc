#include "tome/kernels/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "tests/kernels/activation_inputs.h"
#include "tests/kernels/matmul_inputs.h"

namespace tome {
namespace {

// Computes act(gate) ⊙ up. With one column and x = 1, products with F32 weights are the weights
// themselves.
std::vector<float> Activate(const KernelSet& kernels, Activation activation,
                            const std::vector<float>& gate, const std::vector<float>& up) {
  const auto size = static_cast<int64_t>(gate.size());
  const Matrix gates(DType::kF32, size, 1, gate);
  const Matrix ups(DType::kF32, size, 1, up);
  const Packed packed_gates(kernels, gates);
  const Packed packed_ups(kernels, ups);
  MatmulOutput output = OutputOf(packed_ups);
  output.gate = packed_gates.matrix();
  output.activation = activation;
  ThreadPool pool(1);
  std::vector<std::vector<float>> ys;
  RunMatmul(kernels, {1}, 1, {output}, ys, pool);
  return std::move(ys[0]);
}

class ActivationTest : public KernelTest {};

TEST_P(ActivationTest, KnownValues) {
  // silu(1) = 1 / (1 + 1/e) and silu(−1) = −1 / (1 + e); the tanh form of GELU at ±1 is 0.8411920
  // and −0.1588080. Large positive gates pass, large negative ones close.
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
  for (const Activation activation :
       {Activation::kSilu, Activation::kGeluTanh, Activation::kGelu}) {
    for (const int64_t size : {1, 7, 33, 100, 257}) {
      for (const double deviation : {1.0, 10.0, 1e6, 1e12, 1e-10, 1e-40}) {
        const std::vector<float> gate = RandomFloats(random, size, deviation);
        const std::vector<float> up = RandomFloats(random, size);
        const std::vector<float> out = Activate(kernels(), activation, gate, up);
        for (size_t i = 0; i < out.size(); ++i) {
          ASSERT_NEAR(out[i], Exact(activation, gate[i]) * double{up[i]},
                      ActivationTolerance(activation, gate[i], up[i]))
              << "gate " << gate[i] << " up " << up[i];
        }
      }
    }
  }
}

TEST_P(ActivationTest, AgreesAllOverTheRange) {
  for (const Activation activation :
       {Activation::kSilu, Activation::kGeluTanh, Activation::kGelu}) {
    std::vector<float> gate;
    for (float x = -120; x <= 120; x += 0.01F) gate.push_back(x);
    const std::vector<float> up(gate.size(), 1);
    const std::vector<float> out = Activate(kernels(), activation, gate, up);
    for (size_t i = 0; i < out.size(); ++i) {
      ASSERT_NEAR(out[i], Exact(activation, gate[i]), ActivationTolerance(activation, gate[i], 1))
          << gate[i];
    }
  }
}

TEST_P(ActivationTest, NaNPassesThroughGateAndUp) {
  for (const Activation activation :
       {Activation::kSilu, Activation::kGeluTanh, Activation::kGelu}) {
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

// The soft cap is a quotient, tanh and a product. From x = 0.5 on, where tanh is 0.46, tanh(x) is
// 1 − 2 / (e^2x + 1); below, a series computes it without cancellation. At 0.5 the six roundoffs of
// exp (activation_inputs.h) shrink to 2.4, and the quotient and the sums add 1.5. These are
// relative to 1, hence 2.2 times as many relative to the result.
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
                      12 * kRoundoff * std::abs(expected) + 2 * kUnderflow * (1 + double{cap}))
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

TEST_P(ActivationTest, LogSumExpAgreesWithLongDoublePrecision) {
  std::mt19937 random(4);
  for (const double deviation : {1e-3, 1.0, 8.0, 1000.0}) {
    for (const float offset : {0.0F, 100.0F, -30000.0F}) {
      for (const int64_t size : {1, 7, 16, 33, 257, 50000}) {
        std::vector<float> x = RandomFloats(random, size, deviation);
        for (float& each : x) each += offset;
        const float largest = *std::max_element(x.begin(), x.end());
        long double total = 0;
        for (const float each : x) total += std::exp(static_cast<long double>(each) - largest);
        const auto expected = static_cast<double>(largest + std::log(total));
        // Only the logarithm that is added to the largest is rounded. Differences from the largest
        // are rounded to its last place.
        const double allowed = 2e-6 + 2 * kRoundoff * std::abs(double{largest});
        ASSERT_NEAR(kernels().log_sum_exp({.x = x.data(), .size = size}), expected, allowed)
            << "deviation " << deviation << " offset " << offset << " size " << size;
        x.resize(x.size() + 20, -kInf);
        ASSERT_NEAR(kernels().log_sum_exp({.x = x.data(), .size = size + 20}), expected, allowed);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, ActivationTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
