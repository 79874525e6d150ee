#include "tome/kernels/encoder_attention.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/kernel_inputs.h"

namespace tome {
namespace {

struct Case {
  int64_t heads = 2;
  int64_t kv_heads = 2;
  int64_t head_size = 32;
  std::vector<int64_t> lengths{5};
  int64_t window = 0;
  bool slopes = false;
  float scale = 0.2F;
};

// The inputs of a case. Q has a column of its own behind the heads, so that strides count.
struct Inputs {
  Inputs(const Case& c, std::mt19937& random) {
    for (const int64_t length : c.lengths) {
      sequences.push_back(
          {.key_begin = tokens, .keys = length, .query_begin = tokens, .queries = length});
      tokens += length;
    }
    q_stride = c.heads * c.head_size + 3;
    kv_stride = c.kv_heads * c.head_size;
    q = RandomFloats(random, tokens * q_stride);
    k = RandomFloats(random, tokens * kv_stride);
    v = RandomFloats(random, tokens * kv_stride);
    if (c.slopes) {
      for (int64_t h = 0; h < c.heads; ++h) {
        slopes.push_back(std::exp2(-static_cast<float>(h + 1)));
      }
    }
  }
  int64_t tokens = 0;
  int64_t q_stride = 0;
  int64_t kv_stride = 0;
  std::vector<EncoderAttentionSequence> sequences;
  std::vector<float> q, k, v, slopes;
};

std::vector<float> Attend(const KernelSet& kernels, const Case& c, const Inputs& in,
                          std::span<const EncoderAttentionSequence> sequences, int64_t rows,
                          int threads = 1) {
  std::vector<float> y(Count(rows * c.heads * c.head_size), kNaN);
  EncoderAttentionArgs args{.q = in.q.data(),
                            .k = in.k.data(),
                            .v = in.v.data(),
                            .q_stride = in.q_stride,
                            .kv_stride = in.kv_stride,
                            .y = y.data(),
                            .sequences = sequences,
                            .heads = c.heads,
                            .kv_heads = c.kv_heads,
                            .head_size = c.head_size,
                            .scale = c.scale,
                            .window = c.window,
                            .slopes = in.slopes.empty() ? nullptr : in.slopes.data()};
  Guarded scratch(kernels.encoder_attention_scratch(args, threads));
  args.scratch = scratch.data();
  ThreadPool pool(threads);
  kernels.encoder_attention(args, pool);
  EXPECT_TRUE(scratch.IsIntact());
  return y;
}

// Compares with double precision. A score is a sum of D products, so it errs by at most D + 2
// roundoffs of Σ |q k| · scale, and its weight by as much relative to itself, with 10 more of the
// exponential. The weights' and the values' sums err by one roundoff a token.
void ExpectAttention(const KernelSet& kernels, const Case& c, std::mt19937& random) {
  const Inputs in(c, random);
  const std::vector<float> y = Attend(kernels, c, in, in.sequences, in.tokens);
  for (const EncoderAttentionSequence& s : in.sequences) {
    for (int64_t i = 0; i < s.keys; ++i) {
      for (int64_t h = 0; h < c.heads; ++h) {
        const float* const q = in.q.data() + (s.key_begin + i) * in.q_stride + h * c.head_size;
        const int64_t at = h / (c.heads / c.kv_heads) * c.head_size;
        std::vector<double> weights(Count(s.keys));
        double largest = -HUGE_VAL;
        double off = 0;
        for (int64_t j = 0; j < s.keys; ++j) {
          const float* const k = in.k.data() + (s.key_begin + j) * in.kv_stride + at;
          double score = 0;
          double size = 0;
          for (int64_t n = 0; n < c.head_size; ++n) {
            score += double{q[n]} * double{k[n]};
            size += std::abs(double{q[n]} * double{k[n]});
          }
          score *= double{c.scale};
          const double distance = std::abs(static_cast<double>(i - j));
          if (c.slopes) score -= double{in.slopes[Count(h)]} * distance;
          const bool seen = c.window == 0 || distance <= static_cast<double>(c.window);
          weights[Count(j)] = seen ? score : -HUGE_VAL;
          if (!seen) continue;
          largest = std::max(largest, score);
          off = std::max(off, static_cast<double>(c.head_size + 4) * size * double{c.scale} +
                                  4 * std::abs(score) + (c.slopes ? 4 * distance : 0));
        }
        double total = 0;
        for (double& weight : weights) total += weight = std::exp(weight - largest);
        // Both the weight and the largest score are off.
        const double relative =
            kRoundoff * (2 * off + 4 * std::abs(largest) + 12 + 2 * static_cast<double>(s.keys));
        for (int64_t n = 0; n < c.head_size; ++n) {
          double expected = 0;
          double size = 0;
          for (int64_t j = 0; j < s.keys; ++j) {
            const double part = weights[Count(j)] / total *
                                double{in.v[Count((s.key_begin + j) * in.kv_stride + at + n)]};
            expected += part;
            size += std::abs(part);
          }
          ASSERT_NEAR(y[Count(((s.key_begin + i) * c.heads + h) * c.head_size + n)], expected,
                      2 * relative * size)
              << "token " << i << " of " << s.keys << " head " << h << " of " << c.heads << " x "
              << c.head_size << " window " << c.window;
        }
      }
    }
  }
}

class EncoderAttentionTest : public KernelTest {};

TEST_P(EncoderAttentionTest, ByHand) {
  // Two keys whose products with q are 0 and 2 ln 3 get weights 1/10 and 9/10.
  const float ln3 = std::log(3.0F);
  const Case c{.heads = 1, .kv_heads = 1, .head_size = 1, .lengths = {2}, .scale = 1};
  std::mt19937 random(1);
  Inputs in(c, random);
  in.q_stride = 1;
  in.q = {2, 2};
  in.k = {0, ln3};
  in.v = {10, 20};
  const std::vector<float> y = Attend(kernels(), c, in, in.sequences, 2);
  EXPECT_NEAR(y[0], 19, 1e-5);
  EXPECT_NEAR(y[1], 19, 1e-5);
}

TEST_P(EncoderAttentionTest, AgreesWithDoublePrecision) {
  std::mt19937 random(1);
  for (const int64_t head_size : {1, 7, 12, 16, 32, 64, 100}) {
    ASSERT_NO_FATAL_FAILURE(ExpectAttention(
        kernels(), {.head_size = head_size, .lengths = {1, 2, 17, 33, 70, 8}}, random));
  }
  ASSERT_NO_FATAL_FAILURE(ExpectAttention(
      kernels(), {.heads = 6, .kv_heads = 2, .head_size = 16, .lengths = {40, 3}}, random));
}

TEST_P(EncoderAttentionTest, WindowsAndSlopesAgreeWithDoublePrecision) {
  std::mt19937 random(2);
  for (const int64_t window : {0, 1, 7, 16, 100}) {
    for (const bool slopes : {false, true}) {
      ASSERT_NO_FATAL_FAILURE(ExpectAttention(
          kernels(),
          {.head_size = 24, .lengths = {1, 5, 64, 99, 130}, .window = window, .slopes = slopes},
          random));
    }
  }
}

TEST_P(EncoderAttentionTest, SequencesQueriesAndThreadsDoNotChangeABit) {
  std::mt19937 random(3);
  const Case c{.head_size = 20, .lengths = {7, 40, 1, 65}, .window = 12, .slopes = true};
  const Inputs in(c, random);
  const int64_t row = c.heads * c.head_size;
  const std::vector<float> all = Attend(kernels(), c, in, in.sequences, in.tokens);
  for (const int threads : {2, 3}) {
    EXPECT_TRUE(SameBits(Attend(kernels(), c, in, in.sequences, in.tokens, threads), all));
  }
  for (const EncoderAttentionSequence& s : in.sequences) {
    const std::vector<float> expected(all.begin() + s.key_begin * row,
                                      all.begin() + (s.key_begin + s.keys) * row);
    Inputs alone = in;
    alone.q.erase(alone.q.begin(), alone.q.begin() + s.key_begin * in.q_stride);
    EncoderAttentionSequence same = s;
    same.query_begin = 0;
    EXPECT_TRUE(SameBits(Attend(kernels(), c, alone, {&same, 1}, s.keys), expected));
    // The last query alone.
    alone.q.erase(alone.q.begin(), alone.q.begin() + (s.keys - 1) * in.q_stride);
    same.queries = 1;
    same.first_query = s.keys - 1;
    EXPECT_TRUE(SameBits(Attend(kernels(), c, alone, {&same, 1}, 1),
                         {expected.end() - row, expected.end()}));
  }
}

TEST_P(EncoderAttentionTest, LargeScoresDoNotOverflow) {
  std::mt19937 random(4);
  Case c{.heads = 1, .kv_heads = 1, .head_size = 8, .lengths = {30}};
  c.scale = 1e4F;
  const Inputs in(c, random);
  for (const float value : Attend(kernels(), c, in, in.sequences, in.tokens)) {
    EXPECT_TRUE(std::isfinite(value));
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, EncoderAttentionTest, testing::ValuesIn(AllKernelSets()),
                         KernelSetName);

}  // namespace
}  // namespace tome
