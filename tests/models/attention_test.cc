#include "tome/models/layers/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace tome {
namespace {

constexpr int64_t kTokens = 200;
constexpr int64_t kHeadSize = 64;

struct Heads {
  std::vector<float> q;
  std::vector<float> k;
  std::vector<float> v;
};

// Two query heads over one key head. Values are whole numbers with −8 among every 32, which four
// bits hold as they are: what differs comes of keys alone.
Heads RandomHeads() {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::uniform_int_distribution<int> whole(-8, 7);
  Heads heads;
  for (int64_t i = 0; i < kTokens * 2 * kHeadSize; ++i) heads.q.push_back(normal(random));
  for (int64_t i = 0; i < kTokens * kHeadSize; ++i) {
    heads.k.push_back(normal(random));
    heads.v.push_back(i % 32 == 0 ? -8.0F : static_cast<float>(whole(random)));
  }
  return heads;
}

// Makes two channels of the keys so many times what they are, and those of the queries so many
// times less.
void AddOutliers(Heads& heads, float factor) {
  for (const size_t channel : {5, 40}) {
    for (size_t i = channel; i < heads.q.size(); i += kHeadSize) heads.q[i] /= factor;
    for (size_t i = channel; i < heads.k.size(); i += kHeadSize) heads.k[i] *= factor;
  }
}

// Root of the mean square by which Attend, in passes of 64 tokens, misses causal attention in
// double precision.
double ErrorOf(Heads heads, KvType type) {
  std::vector<double> expected;
  for (size_t t = 0; t < kTokens; ++t) {
    for (size_t h = 0; h < 2; ++h) {
      std::vector<double> weights;
      double sum = 0;
      for (size_t s = 0; s <= t; ++s) {
        double score = 0;
        for (size_t i = 0; i < kHeadSize; ++i) {
          score +=
              double{heads.q[(t * 2 + h) * kHeadSize + i]} * double{heads.k[s * kHeadSize + i]} / 8;
        }
        sum += weights.emplace_back(std::exp(score));
      }
      for (size_t i = 0; i < kHeadSize; ++i) {
        double value = 0;
        for (size_t s = 0; s <= t; ++s) {
          value += weights[s] / sum * double{heads.v[s * kHeadSize + i]};
        }
        expected.push_back(value);
      }
    }
  }
  ThreadPool threads(2);
  const Compute compute{SelectKernelSet(), threads};
  Memory memory(PagedKv({.layers = 1, .kv_heads = 1, .head_size = kHeadSize}, type), kTokens);
  const AttentionShape shape{
      .heads = 2, .kv_heads = 1, .head_size = kHeadSize, .window = 0, .scale = 0.125F};
  Scratch scratch;
  std::vector<float> out(heads.q.size());
  for (size_t begin = 0; begin < kTokens; begin += 64) {
    const std::vector<TokenId> tokens(std::min<size_t>(64, kTokens - begin));
    const BatchItem item{.memory = &memory, .tokens = tokens};
    memory.kv().Reserve(static_cast<int64_t>(tokens.size()));
    Attend({&item, 1}, 0, shape,
           {.q = heads.q.data() + begin * 2 * kHeadSize,
            .k = heads.k.data() + begin * kHeadSize,
            .v = heads.v.data() + begin * kHeadSize},
           out.data() + begin * 2 * kHeadSize, scratch, compute);
    memory.kv().Advance(static_cast<int64_t>(tokens.size()));
  }
  double squares = 0;
  for (size_t i = 0; i < out.size(); ++i) squares += std::pow(double{out[i]} - expected[i], 2);
  return std::sqrt(squares / static_cast<double>(out.size()));
}

TEST(AttendTest, OutliersOfKeysCostFourBitsLittle) {
  const Heads plain = RandomHeads();
  Heads outliers = plain;
  AddOutliers(outliers, 10);
  EXPECT_LT(ErrorOf(plain, KvType::kF32), 1e-4);
  EXPECT_LT(ErrorOf(outliers, KvType::kF32), 1e-4);
  // Turned, the energy of two channels of 10 is spread over 64: deviations of 1 become √(1 + 2 · 99
  // / 64) = 2.0, and steps grow by as much. Unturned, steps of some 10 / 8 for all others of their
  // 32 channels make the error almost five times as large.
  const double error = ErrorOf(plain, KvType::kQ4);
  EXPECT_GT(error, 0);
  EXPECT_LT(ErrorOf(outliers, KvType::kQ4), 2.5 * error);
}

}  // namespace
}  // namespace tome
