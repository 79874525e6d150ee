// Tests norms, biases, gates, residuals and several matrices in one product.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "tests/kernels/activation_inputs.h"
#include "tests/kernels/matmul_inputs.h"

namespace tome {
namespace {

// Returns the row that is multiplied. With a norm it is off by some roundoffs: RMSNorm rounds its
// factor and two products (norm.h).
std::vector<double> NormalizedRow(const std::vector<float>& x, int64_t t, int64_t in,
                                  const Norm& norm) {
  std::vector<double> row = RowOf(x, t, in);
  if (norm.weight.empty()) return row;
  double squares = 0;
  for (const double v : row) squares += v * v;
  const double root = std::sqrt(squares / static_cast<double>(in) + double{norm.eps});
  for (size_t i = 0; i < row.size(); ++i) row[i] = double{norm.weight[i]} * row[i] / root;
  return row;
}

struct Parts {
  const Matrix* weights = nullptr;
  const Matrix* gate = nullptr;
  const std::vector<float>* bias = nullptr;
  Activation activation = Activation::kNone;
  const std::vector<float>* added_to = nullptr;
};

// Checks a matrix's output. The slope of every activation is below 1.13 everywhere.
void ExpectOutput(const KernelSet& kernels, const Parts& parts, const std::vector<float>& x,
                  const Norm& norm, const std::vector<float>& y, int64_t stride = 1) {
  const ProductModel model(kernels, *parts.weights);
  const ProductModel gate_model(kernels, parts.gate ? *parts.gate : *parts.weights);
  const double roundoffs = norm.weight.empty() ? 0 : 3.5;
  const int64_t tokens = static_cast<int64_t>(x.size()) / model.in();
  for (int64_t t = 0; t < tokens; t += stride) {
    const std::vector<double> row = NormalizedRow(x, t, model.in(), norm);
    const std::vector<Expected> products = model.Row(row, roundoffs);
    const std::vector<Expected> gates = gate_model.Row(row, roundoffs);
    for (int64_t o = 0; o < model.out(); ++o) {
      auto [value, bound] = products[Count(o)];
      const size_t at = Count(t * model.out() + o);
      if (parts.bias != nullptr) {
        value += double{(*parts.bias)[Count(o)]};
        bound += kRoundoff * std::abs(value);
      }
      if (parts.gate != nullptr) {
        const Expected& g = gates[Count(o)];
        const double open = Exact(parts.activation, g.value);
        const double off = ActivationTolerance(parts.activation, g.value, 1) +
                           10 * kRoundoff * g.bound + 1.13 * g.bound;
        bound = bound * (std::abs(open) + off) + std::abs(value) * off +
                kRoundoff * std::abs(open * value) + kUnderflow;
        value *= open;
      } else if (parts.activation != Activation::kNone) {
        bound = 1.13 * bound + ActivationTolerance(parts.activation, value, 1);
        value = Exact(parts.activation, value);
      }
      if (parts.added_to != nullptr) {
        value += double{(*parts.added_to)[at]};
        bound += kRoundoff * std::abs(value);
      }
      bound *= 1 + 2 * kRoundoff;  // roundings of the values that are themselves off
      ASSERT_NEAR(y[at], value, bound)
          << NameOf(parts.weights->dtype()) << " token " << t << " of " << tokens << " row " << o
          << " of " << model.out() << " x " << model.in();
    }
  }
}

class MatmulOutputTest : public KernelTest {
 protected:
  ThreadPool two_{2};
};

// Returns widths that every type can have, and others for plain types.
int64_t WidthOf(DType dtype, int64_t number) {
  if (TraitsOf(dtype).block_elements == 1)
    return std::array<int64_t, 4>{7, 33, 100, 256}[Count(number % 4)];
  return TraitsOf(dtype).block_elements * (1 + number % 3);
}

TEST_P(MatmulOutputTest, AddsABiasActivatesAndAddsToTheResidual) {
  std::mt19937 random(1);
  int64_t number = 0;
  for (const DType dtype : DecodableTypes()) {
    for (const int64_t out : {1, 7, 33, 100}) {
      const int64_t in = WidthOf(dtype, ++number);
      const Matrix matrix = RandomMatrix(random, dtype, out, in);
      const Packed packed(kernels(), matrix);
      const std::vector<float> bias = RandomFloats(random, out, 3);
      for (const int64_t tokens : {1, 4, 19}) {
        const std::vector<float> x = RandomFloats(random, tokens * in);
        const std::vector<float> before = RandomFloats(random, tokens * out, 3);
        for (const bool has_bias : {false, true}) {
          for (const bool add : {false, true}) {
            MatmulOutput output = OutputOf(packed);
            output.bias = has_bias ? bias.data() : nullptr;
            output.add = add;
            output.activation = std::array{Activation::kNone, Activation::kGelu, Activation::kSilu,
                                           Activation::kGeluTanh}[Count(number % 4)];
            std::vector<std::vector<float>> ys(1);
            if (add) ys[0] = before;
            RunMatmul(kernels(), x, in, {output}, ys, two_);
            const Parts parts{.weights = &matrix,
                              .bias = has_bias ? &bias : nullptr,
                              .activation = output.activation,
                              .added_to = add ? &before : nullptr};
            ASSERT_NO_FATAL_FAILURE(ExpectOutput(kernels(), parts, x, {}, ys[0]));
          }
        }
      }
    }
  }
}

TEST_P(MatmulOutputTest, GatesWithEveryActivation) {
  std::mt19937 random(2);
  int64_t number = 0;
  for (const DType dtype : DecodableTypes()) {
    for (const Activation activation :
         {Activation::kSilu, Activation::kGeluTanh, Activation::kGelu}) {
      for (const int64_t out : {7, 33, 100}) {
        const int64_t in = WidthOf(dtype, ++number);
        const Matrix up = RandomMatrix(random, dtype, out, in);
        // The gate has the same type or another one.
        const DType other = number % 3 == 0 && in % 32 == 0 ? DType::kBF16 : dtype;
        const Matrix gate = RandomMatrix(random, other, out, in);
        const Packed packed_up(kernels(), up);
        const Packed packed_gate(kernels(), gate);
        for (const int64_t tokens : {1, 18}) {
          const std::vector<float> x = RandomFloats(random, tokens * in, 0.3);
          const std::vector<float> before = RandomFloats(random, tokens * out);
          MatmulOutput output = OutputOf(packed_up);
          output.gate = packed_gate.matrix();
          output.activation = activation;
          output.add = number % 2 == 0;
          std::vector<std::vector<float>> ys(1);
          if (output.add) ys[0] = before;
          RunMatmul(kernels(), x, in, {output}, ys, two_);
          const Parts parts{.weights = &up,
                            .gate = &gate,
                            .activation = activation,
                            .added_to = output.add ? &before : nullptr};
          ASSERT_NO_FATAL_FAILURE(ExpectOutput(kernels(), parts, x, {}, ys[0]));
        }
      }
    }
  }
}

TEST_P(MatmulOutputTest, NormalizesTheRowsFirst) {
  std::mt19937 random(3);
  int64_t number = 0;
  for (const DType dtype : DecodableTypes()) {
    for (const int64_t out : {1, 33, 100}) {
      for (const double deviation : {1.0, 1e-4, 1e6}) {
        const int64_t in = WidthOf(dtype, ++number);
        const Matrix matrix = RandomMatrix(random, dtype, out, in);
        const Norm norm{.weight = RandomFloats(random, in), .eps = 1e-6F};
        const int64_t tokens = 1 + number * 5 % 23;
        const std::vector<float> x = RandomFloats(random, tokens * in, deviation);
        std::vector<std::vector<float>> ys;
        RunMatmul(kernels(), x, in, {OutputOf(Packed(kernels(), matrix))}, ys, two_, norm);
        ASSERT_NO_FATAL_FAILURE(ExpectOutput(kernels(), {.weights = &matrix}, x, norm, ys[0]));
      }
    }
  }
}

// SeveralMatrices holds Q, K and V as a model may: one call has several types, output widths and
// epilogues.
struct SeveralMatrices {
  explicit SeveralMatrices(const KernelSet& kernels) {
    std::mt19937 random(4);
    for (const auto& [dtype, out] : {std::pair<DType, int64_t>{DType::kQ4_K, 100},
                                     {DType::kF32, 7},
                                     {DType::kQ6_K, 33},
                                     {DType::kBF16, 65},
                                     {DType::kF16, 1},
                                     {DType::kQ8_0, 40}}) {
      matrices.push_back(RandomMatrix(random, dtype, out, kIn));
      gates.push_back(RandomMatrix(random, DType::kQ5_1, out, kIn));
      biases.push_back(RandomFloats(random, out));
    }
    for (size_t i = 0; i < matrices.size(); ++i) {
      packed.emplace_back(kernels, matrices[i]);
      packed_gates.emplace_back(kernels, gates[i]);
    }
    for (size_t i = 0; i < matrices.size(); ++i) {
      MatmulOutput output = OutputOf(packed[i]);
      if (i % 3 == 1) output.bias = biases[i].data();
      if (i % 3 == 2) output.gate = packed_gates[i].matrix();
      outputs.push_back(output);
      parts.push_back({.weights = &matrices[i],
                       .gate = i % 3 == 2 ? &gates[i] : nullptr,
                       .bias = i % 3 == 1 ? &biases[i] : nullptr});
    }
  }
  static constexpr int64_t kIn = 512;
  std::vector<Matrix> matrices, gates;
  std::vector<Packed> packed, packed_gates;
  std::vector<std::vector<float>> biases;
  std::vector<MatmulOutput> outputs;
  std::vector<Parts> parts;
};

TEST_P(MatmulOutputTest, MultipliesWithSeveralMatricesAtOnce) {
  const SeveralMatrices several(kernels());
  constexpr int64_t kIn = SeveralMatrices::kIn;
  std::mt19937 random(5);
  for (const Norm& norm : {Norm{}, Norm{.weight = RandomFloats(random, kIn), .eps = 1e-5F}}) {
    for (const int64_t tokens : {1, 7, 40, 270}) {
      const std::vector<float> x = RandomFloats(random, tokens * kIn, 0.5);
      std::vector<std::vector<float>> ys;
      RunMatmul(kernels(), x, kIn, several.outputs, ys, two_, norm);
      for (size_t i = 0; i < ys.size(); ++i) {
        ASSERT_NO_FATAL_FAILURE(
            ExpectOutput(kernels(), several.parts[i], x, norm, ys[i], tokens > 40 ? 11 : 1))
            << i;
      }
    }
  }
}

TEST_P(MatmulOutputTest, BitsDependNeitherOnThreadsTheBatchNorWhatElseIsComputed) {
  const SeveralMatrices several(kernels());
  constexpr int64_t kIn = SeveralMatrices::kIn;
  std::mt19937 random(6);
  ThreadPool one(1);
  ThreadPool four(4);
  for (const Norm& norm : {Norm{}, Norm{.weight = RandomFloats(random, kIn), .eps = 1e-5F}}) {
    const std::vector<float> x = RandomFloats(random, 35 * kIn);
    std::vector<std::vector<float>> expected;
    RunMatmul(kernels(), x, kIn, several.outputs, expected, one, norm);
    for (ThreadPool* pool : {&two_, &four}) {
      std::vector<std::vector<float>> ys;
      RunMatmul(kernels(), x, kIn, several.outputs, ys, *pool, norm);
      for (size_t i = 0; i < ys.size(); ++i) EXPECT_TRUE(SameBits(ys[i], expected[i])) << i;
    }
    // Each matrix gives the same bits alone.
    for (size_t i = 0; i < several.outputs.size(); ++i) {
      std::vector<std::vector<float>> ys;
      RunMatmul(kernels(), x, kIn, {several.outputs[i]}, ys, two_, norm);
      EXPECT_TRUE(SameBits(ys[0], expected[i])) << i;
    }
    for (const int64_t batch : {1, 6, 7, 16, 17}) {
      std::vector<std::vector<float>> joined(expected.size());
      for (int64_t begin = 0; begin < 35; begin += batch) {
        const int64_t end = std::min<int64_t>(35, begin + batch);
        std::vector<std::vector<float>> ys;
        RunMatmul(kernels(), {x.begin() + begin * kIn, x.begin() + end * kIn}, kIn, several.outputs,
                  ys, two_, norm);
        for (size_t i = 0; i < ys.size(); ++i) {
          joined[i].insert(joined[i].end(), ys[i].begin(), ys[i].end());
        }
      }
      for (size_t i = 0; i < joined.size(); ++i) {
        EXPECT_TRUE(SameBits(joined[i], expected[i])) << i << " in batches of " << batch;
      }
    }
  }
}

// Rows are normalized before they are spread over tiles: a row that is not a number must not reach
// the other rows.
TEST_P(MatmulOutputTest, NaNStaysInItsRowThroughNormsAndGates) {
  const SeveralMatrices several(kernels());
  constexpr int64_t kIn = SeveralMatrices::kIn;
  std::mt19937 random(7);
  const Norm norm{.weight = RandomFloats(random, kIn), .eps = 1e-5F};
  std::vector<float> x = RandomFloats(random, 18 * kIn);
  std::vector<std::vector<float>> clean;
  RunMatmul(kernels(), x, kIn, several.outputs, clean, two_, norm);
  x[Count(16 * kIn + 200)] = kNaN;
  std::vector<std::vector<float>> ys;
  RunMatmul(kernels(), x, kIn, several.outputs, ys, two_, norm);
  for (size_t i = 0; i < ys.size(); ++i) {
    const size_t out = Count(several.outputs[i].weights.out);
    for (size_t at = 0; at < ys[i].size(); ++at) {
      if (at / out == 16) {
        ASSERT_TRUE(std::isnan(ys[i][at])) << i << ' ' << at;
      } else {
        ASSERT_EQ(ys[i][at], clean[i][at]) << i << ' ' << at;
      }
    }
  }
}

// The last block of 32 of a row is not full here. Beside F32 weights, the copies of normalized rows
// lie one after the other.
TEST_P(MatmulOutputTest, NormalizedRowsOfAnyWidthDoNotOverlap) {
  std::mt19937 random(8);
  ThreadPool four(4);
  for (const int64_t in : {1, 7, 17, 33, 47, 100}) {
    const Matrix matrix = RandomMatrix(random, DType::kF32, 5, in);
    const Packed packed(kernels(), matrix);
    const Norm norm{.weight = RandomFloats(random, in), .eps = 1e-6F};
    const std::vector<float> x = RandomFloats(random, 100 * in);
    std::vector<std::vector<float>> ys;
    RunMatmul(kernels(), x, in, {OutputOf(packed)}, ys, four, norm);
    ASSERT_NO_FATAL_FAILURE(ExpectOutput(kernels(), {.weights = &matrix}, x, norm, ys[0]));
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, MatmulOutputTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
