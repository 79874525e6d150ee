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

// Returns two query heads over one key head. Values are whole numbers with −8 among every 32, which
// four bits hold exactly, so that differences come from keys alone.
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

// Multiplies two channels of the keys by `factor` and divides those channels of the queries by it.
void AddOutliers(Heads& heads, float factor) {
  for (const size_t channel : {5, 40}) {
    for (size_t i = channel; i < heads.q.size(); i += kHeadSize) heads.q[i] /= factor;
    for (size_t i = channel; i < heads.k.size(); i += kHeadSize) heads.k[i] *= factor;
  }
}

// Returns the root mean square of the difference between Attend, in passes of 64 tokens, and causal
// attention in double precision.
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
  // The Hadamard transform spreads the energy of two channels with deviation 10 over 64 channels.
  // Deviations of 1 become √(1 + 2 · 99 / 64) = 2.0, and steps grow by as much. Without the
  // transform, steps of some 10 / 8 for all other channels of the same 32 make the error almost
  // five times as large.
  const double error = ErrorOf(plain, KvType::kQ4);
  EXPECT_GT(error, 0);
  EXPECT_LT(ErrorOf(outliers, KvType::kQ4), 2.5 * error);
}

// Values are 1 at the positions of a span, in a channel of its own, and 0 elsewhere. Attention then
// adds up in that channel the mass that a tap counts.
TEST(AttendTest, ATapCountsWhatAttentionAddsUp) {
  const std::vector<PositionSpan> spans{{0, 1}, {3, 64}, {64, 130}, {150, 152}, {199, 200}};
  for (const KvType type : {KvType::kF32, KvType::kF16, KvType::kQ8}) {
    for (const int64_t chunk : {0, 64}) {
      Heads heads = RandomHeads();
      // With Dual Chunk Attention, farther pages are attended with queries of their own.
      Heads middle = heads;
      Heads far = heads;
      std::ranges::reverse(middle.q);
      std::ranges::rotate(far.q, far.q.begin() + 1000);
      std::ranges::fill(heads.v, 0.0F);
      for (size_t j = 0; j < spans.size(); ++j) {
        for (int64_t s = spans[j].begin; s < spans[j].end; ++s) {
          heads.v[static_cast<size_t>(s * kHeadSize) + j] = 1;
        }
      }
      PositionScheme positions;
      if (chunk > 0) positions.chunks = {.chunk = chunk, .limit = chunk, .trained = chunk};
      Memory memory(PagedKv({.layers = 1, .kv_heads = 1, .head_size = kHeadSize}, type), kTokens,
                    {}, positions);
      ThreadPool threads(2);
      Scratch scratch;
      std::vector<float> out(heads.q.size());
      AttentionTap tap{.heads = {{.layer = 0, .head = 1}, {.layer = 1, .head = 0}, {.head = 0}},
                       .spans = spans,
                       .first_position = 70,
                       .mass = {}};
      for (size_t begin = 0; begin < kTokens; begin += 80) {
        const std::vector<TokenId> tokens(std::min<size_t>(80, kTokens - begin));
        const BatchItem item{.memory = &memory, .tokens = tokens, .tap = &tap};
        memory.kv().Reserve(static_cast<int64_t>(tokens.size()));
        const size_t at = begin * 2 * kHeadSize;
        Attend({&item, 1}, 0,
               {.heads = 2, .kv_heads = 1, .head_size = kHeadSize, .window = 0, .scale = 0.125F},
               {.q = heads.q.data() + at,
                .k = heads.k.data() + begin * kHeadSize,
                .v = heads.v.data() + begin * kHeadSize,
                .q_middle = chunk > 0 ? middle.q.data() + at : nullptr,
                .q_far = chunk > 0 ? far.q.data() + at : nullptr},
               out.data() + at, scratch, {SelectKernelSet(), threads});
        memory.kv().Advance(static_cast<int64_t>(tokens.size()));
      }
      // The tolerance is relative to each token's share. With F32 it covers the roundings of float.
      // With 16-bit types some sets round queries and weights to BF16. Q8 keeps a value of 1 except
      // for the rounding of its scale.
      const double relative = type == KvType::kF32 ? 1e-5 : 0x1p-6;
      for (size_t j = 0; j < spans.size(); ++j) {
        double expected[2] = {0, 0};
        for (size_t t = 70; t < kTokens; ++t) {
          for (size_t h = 0; h < 2; ++h) expected[h] += out[(t * 2 + h) * kHeadSize + j];
        }
        EXPECT_NEAR(tap.At(0, j), expected[1], relative * expected[1] + 1e-6) << NameOf(type);
        EXPECT_NEAR(tap.At(2, j), expected[0], relative * expected[0] + 1e-6) << NameOf(type);
        EXPECT_EQ(tap.At(1, j), 0) << "another layer's";
      }
    }
  }
}

}  // namespace
}  // namespace tome
