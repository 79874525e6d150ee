#include "tome/kernels/retention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <span>

#include "tests/kernels/kernel_inputs.h"
#include "tome/kernels/generic/retention.h"

namespace tome {
namespace {

struct Shape3 {
  int64_t heads = 1;
  int64_t key_size = 1;
  int64_t value_size = 1;
};

// Returns the logarithms of RetNet's decays, γ = 1 − 2^(−5 − h). The last of several heads does not
// forget at all.
std::vector<double> LogDecays(int64_t heads) {
  std::vector<double> decays;
  for (int64_t h = 0; h < heads; ++h) {
    decays.push_back(h > 0 && h + 1 == heads ? 0 : std::log1p(-std::exp2(-5.0 - double(h))));
  }
  return decays;
}

struct RetentionInputs {
  RetentionInputs(const Shape3& shape, int64_t count, unsigned seed) : s(shape), tokens(count) {
    std::mt19937 random(seed);
    q = RandomFloats(random, tokens * s.heads * s.key_size);
    k = RandomFloats(random, tokens * s.heads * s.key_size);
    v = RandomFloats(random, tokens * s.heads * s.value_size);
    log_decay = LogDecays(s.heads);
  }
  RetentionArgs Args(std::span<const RetentionSequence> sequences, bool normalize) const {
    return {.sequences = sequences,
            .heads = s.heads,
            .key_size = s.key_size,
            .value_size = s.value_size,
            .log_decay = log_decay,
            .normalize = normalize};
  }
  int64_t StateFloats() const { return s.heads * RetentionHeadFloats(s.key_size, s.value_size); }

  Shape3 s;
  int64_t tokens;
  std::vector<float> q, k, v;
  std::vector<double> log_decay;
};

struct RetentionResult {
  std::vector<float> out;
  std::vector<float> state;
};

// Reads the inputs in passes of `cut` tokens.
RetentionResult Retain(const KernelSet& kernels, const RetentionInputs& in, bool normalize,
                       int64_t cut, int threads = 1) {
  ThreadPool pool(threads);
  RetentionResult result{std::vector<float>(in.v.size(), kNaN),
                         std::vector<float>(Count(in.StateFloats()))};
  const int64_t keys = in.s.heads * in.s.key_size;
  const int64_t values = in.s.heads * in.s.value_size;
  for (int64_t first = 0; first < in.tokens; first += cut) {
    // The next state holds NaNs, all of which must be overwritten.
    std::vector<float> next(result.state.size(), kNaN);
    const RetentionSequence sequence{.q = in.q.data() + first * keys,
                                     .k = in.k.data() + first * keys,
                                     .v = in.v.data() + first * values,
                                     .out = result.out.data() + first * values,
                                     .state = result.state.data(),
                                     .next = next.data(),
                                     .tokens = std::min(cut, in.tokens - first),
                                     .first_position = first};
    kernels.retention(in.Args({&sequence, 1}, normalize), pool);
    result.state = next;
  }
  return result;
}

// Exact holds the sum in double precision, and the sum of the terms' magnitudes.
struct Exact {
  std::vector<double> out;
  std::vector<double> magnitude;
};

Exact Evaluate(const RetentionInputs& in, bool normalize) {
  Exact exact{std::vector<double>(in.v.size()), std::vector<double>(in.v.size())};
  for (int64_t h = 0; h < in.s.heads; ++h) {
    const double gamma = std::exp(in.log_decay[Count(h)]);
    double terms = 0;
    for (int64_t n = 0; n < in.tokens; ++n) {
      terms = terms * gamma + 1;
      const double c = normalize ? 1 / std::sqrt(terms) : 1;
      for (int64_t m = 0; m <= n; ++m) {
        double product = 0;
        double size = 0;
        for (int64_t i = 0; i < in.s.key_size; ++i) {
          const double term = double{in.q[Count((n * in.s.heads + h) * in.s.key_size + i)]} *
                              double{in.k[Count((m * in.s.heads + h) * in.s.key_size + i)]};
          product += term;
          size += std::abs(term);
        }
        const double decay = std::exp(in.log_decay[Count(h)] * static_cast<double>(n - m)) * c;
        for (int64_t i = 0; i < in.s.value_size; ++i) {
          const double value = in.v[Count((m * in.s.heads + h) * in.s.value_size + i)];
          const size_t at = Count((n * in.s.heads + h) * in.s.value_size + i);
          exact.out[at] += decay * product * value;
          exact.magnitude[at] += decay * size * std::abs(value);
        }
      }
    }
  }
  return exact;
}

// Compares with a tolerance for `operations` roundings on the longest way from an input to a
// result.
void ExpectNear(const std::vector<float>& out, const Exact& exact, int64_t operations) {
  for (size_t i = 0; i < out.size(); ++i) {
    const double tolerance = static_cast<double>(operations) * kRoundoff * exact.magnitude[i];
    ASSERT_NEAR(out[i], exact.out[i], tolerance + kUnderflow) << "at " << i;
  }
}

// Returns the roundings of the chunkwise form: a sum over a key, two over a chunk, and a step for
// each chunk in between.
int64_t Operations(const RetentionInputs& in) {
  return in.s.key_size + 2 * kRetentionChunk + 3 * (in.tokens / kRetentionChunk) + 16;
}

constexpr std::array<Shape3, 5> kShapes{
    {{1, 1, 1}, {3, 16, 24}, {2, 33, 65}, {4, 40, 128}, {2, 130, 200}}};

class RetentionTest : public KernelTest {};

TEST_P(RetentionTest, AgreesWithDoublePrecision) {
  for (const Shape3& shape : kShapes) {
    for (const int64_t tokens : {1, 5, 31, 32, 33, 64, 100}) {
      const RetentionInputs in(shape, tokens, static_cast<unsigned>(tokens));
      for (const bool normalize : {false, true}) {
        SCOPED_TRACE(testing::Message() << shape.heads << " x " << shape.key_size << " x "
                                        << shape.value_size << ", " << tokens << " tokens");
        ASSERT_NO_FATAL_FAILURE(ExpectNear(Retain(kernels(), in, normalize, tokens).out,
                                           Evaluate(in, normalize), Operations(in)));
      }
    }
  }
}

TEST_P(RetentionTest, DoesNotDependOnHowTheTokensAreCutNorOnThreads) {
  for (const Shape3& shape : {Shape3{3, 16, 24}, Shape3{2, 33, 200}}) {
    const RetentionInputs in(shape, 150, 7);
    const RetentionResult whole = Retain(kernels(), in, true, in.tokens);
    for (const int64_t cut : {1, 7, 32, 37, 64, 149}) {
      for (const int threads : {1, 4}) {
        const RetentionResult parts = Retain(kernels(), in, true, cut, threads);
        EXPECT_TRUE(SameBits(parts.out, whole.out)) << "passes of " << cut;
        EXPECT_TRUE(SameBits(parts.state, whole.state)) << "passes of " << cut;
      }
    }
  }
}

TEST_P(RetentionTest, SequencesOfABatchHaveNothingToDoWithEachOther) {
  const Shape3 shape{2, 20, 70};
  const RetentionInputs a(shape, 70, 1);
  const RetentionInputs b(shape, 33, 2);
  const RetentionResult alone_a = Retain(kernels(), a, true, 70);
  const RetentionResult alone_b = Retain(kernels(), b, true, 33);
  std::vector<float> out_a(a.v.size());
  std::vector<float> out_b(b.v.size());
  const std::vector<float> zero(Count(a.StateFloats()));
  std::vector<float> next_a(zero.size());
  std::vector<float> next_b(zero.size());
  const std::array<RetentionSequence, 2> both{
      RetentionSequence{a.q.data(), a.k.data(), a.v.data(), out_a.data(), zero.data(),
                        next_a.data(), 70, 0},
      RetentionSequence{b.q.data(), b.k.data(), b.v.data(), out_b.data(), zero.data(),
                        next_b.data(), 33, 0}};
  ThreadPool pool(2);
  kernels().retention(a.Args(both, true), pool);
  EXPECT_TRUE(SameBits(out_a, alone_a.out));
  EXPECT_TRUE(SameBits(out_b, alone_b.out));
  EXPECT_TRUE(SameBits(next_a, alone_a.state));
  EXPECT_TRUE(SameBits(next_b, alone_b.state));
}

TEST_P(RetentionTest, WhatALaterTokenBringsReachesNoEarlierOne) {
  RetentionInputs in({1, 16, 24}, 40, 3);
  const RetentionResult before = Retain(kernels(), in, false, in.tokens);
  in.k[Count(20 * 16 + 3)] = kNaN;
  const RetentionResult after = Retain(kernels(), in, false, in.tokens);
  const std::vector<float> expected(before.out.begin(), before.out.begin() + 20 * 24);
  EXPECT_TRUE(SameBits({after.out.begin(), after.out.begin() + 20 * 24}, expected));
  EXPECT_TRUE(std::isnan(after.out[20 * 24]));
}

TEST_P(RetentionTest, LongSequencesNeitherUnderflowNorDrift) {
  // One head forgets in some thirty tokens, the other never. The earliest weight of the first is
  // e^−381.
  const RetentionInputs in({2, 8, 4}, 12000, 5);
  const RetentionResult result = Retain(kernels(), in, true, 777);
  Exact exact{std::vector<double>(in.v.size()), std::vector<double>(in.v.size())};
  for (int64_t h = 0; h < 2; ++h) {
    const double gamma = std::exp(in.log_decay[Count(h)]);
    std::array<std::array<double, 4>, 8> state{};
    std::array<std::array<double, 4>, 8> size{};
    double terms = 0;
    for (int64_t n = 0; n < in.tokens; ++n) {
      terms = terms * gamma + 1;
      for (size_t i = 0; i < 8; ++i) {
        const double key = in.k[Count((n * 2 + h) * 8) + i];
        const double query = in.q[Count((n * 2 + h) * 8) + i];
        for (size_t j = 0; j < 4; ++j) {
          const double value = in.v[Count((n * 2 + h) * 4) + j];
          state[i][j] = state[i][j] * gamma + key * value;
          size[i][j] = size[i][j] * gamma + std::abs(key * value);
          const size_t at = Count((n * 2 + h) * 4) + j;
          exact.out[at] += query * state[i][j] / std::sqrt(terms);
          exact.magnitude[at] += std::abs(query) * size[i][j] / std::sqrt(terms);
        }
      }
    }
  }
  ExpectNear(result.out, exact, Operations(in));
}

TEST_P(RetentionTest, GateNormalizesEachHead) {
  std::mt19937 random(11);
  for (const int64_t width : {1, 16, 33, 432}) {
    constexpr int64_t kTokens = 3;
    constexpr int64_t kHeads = 2;
    const auto x = RandomFloats(random, kTokens * kHeads * width);
    const auto gate = RandomFloats(random, kTokens * kHeads * width, 3);
    const auto weight = RandomFloats(random, width);
    for (const float* w : {static_cast<const float*>(nullptr), weight.data()}) {
      std::vector<float> y = x;
      ThreadPool pool(2);
      kernels().retention_gate({.x = y.data(),
                                .gate = gate.data(),
                                .weight = w,
                                .y = y.data(),
                                .tokens = kTokens,
                                .heads = kHeads,
                                .width = width,
                                .eps = 1e-5F},
                               pool);
      for (size_t row = 0; row < x.size(); row += Count(width)) {
        double squares = 0;
        for (size_t i = 0; i < Count(width); ++i) squares += double{x[row + i]} * x[row + i];
        const double root = std::sqrt(squares / static_cast<double>(width) + double{1e-5F});
        for (size_t i = 0; i < Count(width); ++i) {
          const double g = gate[row + i];
          const double expected =
              g / (1 + std::exp(-g)) * (w != nullptr ? w[i] : 1) * double{x[row + i]} / root;
          ASSERT_NEAR(y[row + i], expected, 16 * kRoundoff * std::abs(expected) + 1e-30);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, RetentionTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

TEST(RetentionForms, ParallelRecurrentAndChunkwiseAgree) {
  for (const Shape3& shape : kShapes) {
    for (const int64_t tokens : {1, 32, 77}) {
      const RetentionInputs in(shape, tokens, 9);
      const Exact exact = Evaluate(in, true);
      std::vector<float> out(in.v.size(), kNaN);
      const std::vector<float> zero(Count(shape.heads * shape.key_size * shape.value_size));
      std::vector<float> next(zero.size());
      const RetentionSequence sequence{in.q.data(), in.k.data(), in.v.data(), out.data(),
                                       zero.data(), next.data(), tokens,      0};
      generic::ParallelRetention(in.Args({&sequence, 1}, true));
      ASSERT_NO_FATAL_FAILURE(ExpectNear(out, exact, shape.key_size + tokens + 8));
      std::fill(out.begin(), out.end(), kNaN);
      generic::RecurrentRetention(in.Args({&sequence, 1}, true));
      ASSERT_NO_FATAL_FAILURE(ExpectNear(out, exact, shape.key_size + 3 * tokens + 8));
      for (const KernelSet* kernels : AllKernelSets()) {
        ASSERT_NO_FATAL_FAILURE(
            ExpectNear(Retain(*kernels, in, true, 11).out, exact, Operations(in)));
      }
    }
  }
}

}  // namespace
}  // namespace tome
