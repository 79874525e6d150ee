#include "tome/kernels/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "tests/kernels/kernel_inputs.h"
#include "tome/tensor/float16.h"

namespace tome {
namespace {

struct Problem {
  int64_t heads = 1;
  int64_t kv_heads = 1;
  int64_t head_size = 16;
  int64_t length = 1;  // positions in the cache in the end
  int64_t tokens = 1;  // of them, queries at the end
  int64_t window = 0;
  float scale = 1;
  float soft_cap = 0;
  KvType type = KvType::kF32;
  std::vector<float> q{};       // [tokens, heads, head_size]
  std::vector<float> k{}, v{};  // [length, kv_heads, head_size]

  int64_t first() const { return length - tokens; }
};

Problem RandomProblem(std::mt19937& random, Problem problem) {
  const int64_t size = problem.head_size;
  problem.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(size)));
  problem.q = RandomFloats(random, problem.tokens * problem.heads * size, 2);
  problem.k = RandomFloats(random, problem.length * problem.kv_heads * size);
  problem.v = RandomFloats(random, problem.length * problem.kv_heads * size);
  return problem;
}

// Pages filled through the set's own write_kv, `piece` tokens at a time. What was never written is
// NaN (all bits set), so that reading beyond the last position shows.
class Cache {
 public:
  Cache(const KernelSet& kernels, const Problem& problem, int64_t piece) : type_(problem.type) {
    const int64_t pages = (problem.length + kKvPageTokens - 1) / kKvPageTokens;
    const int64_t bytes = KvPageBytes(problem.type, problem.kv_heads, problem.head_size);
    storage_.assign(Count(2 * pages), std::vector<std::byte>(Count(bytes), std::byte{0xFF}));
    for (int64_t page = 0; page < pages; ++page) {
      keys_.push_back(storage_[Count(2 * page)].data());
      values_.push_back(storage_[Count(2 * page + 1)].data());
    }
    const int64_t width = problem.kv_heads * problem.head_size;
    for (int64_t begin = 0; begin < problem.length; begin += piece) {
      kernels.write_kv({.k = problem.k.data() + begin * width,
                        .v = problem.v.data() + begin * width,
                        .keys = keys_,
                        .values = values_,
                        .type = problem.type,
                        .tokens = std::min(piece, problem.length - begin),
                        .first_position = begin,
                        .kv_heads = problem.kv_heads,
                        .head_size = problem.head_size});
    }
    read_keys_.assign(keys_.begin(), keys_.end());
    read_values_.assign(values_.begin(), values_.end());
  }
  KvView view() const { return {.type = type_, .keys = read_keys_, .values = read_values_}; }
  const std::vector<std::vector<std::byte>>& storage() const { return storage_; }

 private:
  KvType type_;
  std::vector<std::vector<std::byte>> storage_;
  std::vector<std::byte*> keys_, values_;
  std::vector<const std::byte*> read_keys_, read_values_;
};

// Queries [begin, end) of the problem's tokens.
std::vector<float> Attend(const KernelSet& kernels, const Problem& problem, const Cache& cache,
                          int threads, int64_t begin, int64_t end) {
  ThreadPool pool(threads);
  const int64_t width = problem.heads * problem.head_size;
  std::vector<float> out(Count((end - begin) * width), kNaN);
  kernels.attention({.q = problem.q.data() + begin * width,
                     .out = out.data(),
                     .kv = cache.view(),
                     .tokens = end - begin,
                     .first_position = problem.first() + begin,
                     .heads = problem.heads,
                     .kv_heads = problem.kv_heads,
                     .head_size = problem.head_size,
                     .window = problem.window,
                     .scale = problem.scale,
                     .soft_cap = problem.soft_cap},
                    pool);
  return out;
}

std::vector<float> Attend(const KernelSet& kernels, const Problem& problem, int threads = 1) {
  return Attend(kernels, problem, Cache(kernels, problem, 50), threads, 0, problem.tokens);
}

double Cached(const Problem& problem, float value) {
  return problem.type == KvType::kF32 ? double{value} : double{FloatFromF16(F16FromFloat(value))};
}

// The definition, with a row of scores, in double.
//
// Tolerance. A score is a dot product of D terms, scaled and capped: it errs by
// δ = (D + 2) u · scale · Σ|q k| plus a few u of itself and of the cap (tanh's slope is at most 1).
// exp turns δ, and the rounding of the difference to the largest score, into a relative error of a
// weight; weights and their sum both have it, hence 2 δ. Sums over n positions, the rescaling once
// a page and the division add n + 16 + 4 · pages roundings, all relative to Σ p |v|.
void ExpectAttention(const Problem& problem, const std::vector<float>& out) {
  const int64_t size = problem.head_size;
  for (int64_t t = 0; t < problem.tokens; ++t) {
    const int64_t position = problem.first() + t;
    const int64_t first =
        problem.window > 0 ? std::max<int64_t>(0, position - problem.window + 1) : 0;
    for (int64_t h = 0; h < problem.heads; ++h) {
      const int64_t group = h / (problem.heads / problem.kv_heads);
      const auto at = [&](int64_t s) { return (s * problem.kv_heads + group) * size; };
      const float* q = problem.q.data() + (t * problem.heads + h) * size;
      std::vector<double> scores;
      double delta = 0;
      for (int64_t s = first; s <= position; ++s) {
        double dot = 0;
        double magnitude = 0;
        for (int64_t i = 0; i < size; ++i) {
          const double term = double{q[i]} * Cached(problem, problem.k[Count(at(s) + i)]);
          dot += term;
          magnitude += std::abs(term);
        }
        const double cap = problem.soft_cap;
        const double scaled = double{problem.scale} * dot;
        scores.push_back(cap > 0 ? cap * std::tanh(scaled / cap) : scaled);
        delta =
            std::max(delta, static_cast<double>(size + 2) * kRoundoff * problem.scale * magnitude +
                                8 * kRoundoff * (std::abs(scores.back()) + cap));
      }
      const double largest = *std::max_element(scores.begin(), scores.end());
      const double smallest = *std::min_element(scores.begin(), scores.end());
      delta += kRoundoff * (largest - smallest);
      double total = 0;
      for (double& score : scores) total += score = std::exp(score - largest);
      const auto seen = static_cast<double>(scores.size());
      const double relative =
          std::expm1(2 * delta) + (seen + 16 + 4 * (seen / kKvPageTokens + 2)) * kRoundoff;
      for (int64_t i = 0; i < size; ++i) {
        double expected = 0;
        double magnitude = 0;
        for (int64_t s = first; s <= position; ++s) {
          const double term =
              scores[Count(s - first)] / total * Cached(problem, problem.v[Count(at(s) + i)]);
          expected += term;
          magnitude += std::abs(term);
        }
        ASSERT_NEAR(out[Count((t * problem.heads + h) * size + i)], expected, relative * magnitude)
            << "position " << position << " head " << h << " channel " << i;
      }
    }
  }
}

class AttentionTest : public KernelTest {};

TEST_P(AttentionTest, AQueryThatMatchesOneKeyReadsItsValue) {
  // Keys are unit vectors; a query of 200 e_s scores 200 at position s and 0 elsewhere: e^-200 is
  // nothing in float.
  for (const KvType type : {KvType::kF32, KvType::kF16}) {
    Problem problem{.length = 16, .tokens = 1, .type = type};
    problem.k.resize(16 * 16);
    for (size_t s = 0; s < 16; ++s) {
      problem.k[s * 17] = 1;
      for (size_t i = 0; i < 16; ++i) problem.v.push_back(static_cast<float>(100 * s + i));
    }
    for (size_t s = 0; s < 16; ++s) {
      problem.q.assign(16, 0);
      problem.q[s] = 200;
      const std::vector<float> expected(problem.v.begin() + static_cast<ptrdiff_t>(s * 16),
                                        problem.v.begin() + static_cast<ptrdiff_t>(s * 16 + 16));
      EXPECT_EQ(Attend(kernels(), problem), expected) << s;
    }
  }
}

TEST_P(AttentionTest, EqualScoresGiveTheMeanOfWhatIsSeen) {
  // Values count positions 0, 1, 2, …: the mean up to p is p / 2, of the last w positions
  // p - (w - 1) / 2.
  for (const int64_t window : {0, 1, 5, 64, 100}) {
    Problem problem{.length = 200, .tokens = 200, .window = window};
    problem.q.assign(200 * 16, 0);
    problem.k.assign(200 * 16, 1);
    for (int s = 0; s < 200; ++s) problem.v.insert(problem.v.end(), 16, static_cast<float>(s));
    const std::vector<float> out = Attend(kernels(), problem);
    for (int64_t p = 0; p < 200; ++p) {
      const int64_t seen = window == 0 ? p + 1 : std::min(p + 1, window);
      const double mean = static_cast<double>(p) - static_cast<double>(seen - 1) / 2;
      EXPECT_NEAR(out[Count(p * 16)], mean, 1e-4) << "window " << window << " position " << p;
    }
  }
}

TEST_P(AttentionTest, AgreesWithDoublePrecision) {
  std::mt19937 random(1);
  constexpr std::array<std::pair<int64_t, int64_t>, 6> kHeads{
      {{1, 1}, {2, 1}, {3, 3}, {6, 2}, {8, 8}, {8, 1}}};
  constexpr std::array<int64_t, 4> kSizes{16, 64, 80, 128};
  size_t number = 0;
  for (const int64_t length : {1, 2, 63, 64, 65, 128, 129, 257}) {
    for (const int64_t window : {0, 1, 5, 64, 100}) {
      for (const KvType type : {KvType::kF32, KvType::kF16}) {
        for (const float soft_cap : {0.0F, 2.0F}) {
          // Heads, sizes and numbers of queries take turns with different periods.
          const auto [heads, kv_heads] = kHeads[number % kHeads.size()];
          const std::array<int64_t, 5> queries{1, 2, 7, 33, 1};
          const Problem problem =
              RandomProblem(random, {.heads = heads,
                                     .kv_heads = kv_heads,
                                     .head_size = kSizes[number / 3 % kSizes.size()],
                                     .length = length,
                                     .tokens = std::min(length, queries[number % queries.size()]),
                                     .window = window,
                                     .soft_cap = soft_cap,
                                     .type = type});
          SCOPED_TRACE(testing::Message()
                       << "length " << length << " tokens " << problem.tokens << " window "
                       << window << " cap " << soft_cap << " heads " << heads << '/' << kv_heads
                       << " of " << problem.head_size << " type " << static_cast<int>(type));
          ASSERT_NO_FATAL_FAILURE(ExpectAttention(problem, Attend(kernels(), problem)));
          ++number;
        }
      }
    }
  }
}

TEST_P(AttentionTest, AgreesForAwkwardHeadSizesAndTheLargest) {
  std::mt19937 random(2);
  for (const int64_t size : {1, 7, 33, 100, 257, 512}) {
    const Problem problem = RandomProblem(
        random, {.heads = 4, .kv_heads = 2, .head_size = size, .length = 70, .tokens = 9});
    ASSERT_NO_FATAL_FAILURE(ExpectAttention(problem, Attend(kernels(), problem))) << size;
  }
}

TEST_P(AttentionTest, LargeScoresDoNotOverflow) {
  // Scores of about ±1e4: exp of them alone would be infinite.
  std::mt19937 random(3);
  Problem problem = RandomProblem(
      random, {.heads = 2, .kv_heads = 1, .head_size = 64, .length = 150, .tokens = 3});
  for (float& q : problem.q) q *= 1e4F;
  const std::vector<float> out = Attend(kernels(), problem);
  for (const float value : out) ASSERT_TRUE(std::isfinite(value));
  // The largest score wins by far: the output is one of the values, up to their size.
  const float most = *std::max_element(problem.v.begin(), problem.v.end());
  for (const float value : out) EXPECT_LE(value, most * 1.001F);
}

TEST_P(AttentionTest, BitsDependNeitherOnThreadsNorOnTheBatch) {
  std::mt19937 random(4);
  for (const KvType type : {KvType::kF32, KvType::kF16}) {
    for (const int64_t window : {0, 5, 100}) {
      const Problem problem = RandomProblem(random, {.heads = 6,
                                                     .kv_heads = 2,
                                                     .head_size = 80,
                                                     .length = 150,
                                                     .tokens = 40,
                                                     .window = window,
                                                     .type = type});
      const Cache cache(kernels(), problem, 150);
      const auto expected = Bits(Attend(kernels(), problem, cache, 1, 0, 40));
      EXPECT_EQ(Bits(Attend(kernels(), problem, cache, 2, 0, 40)), expected);
      EXPECT_EQ(Bits(Attend(kernels(), problem, cache, 4, 0, 40)), expected);
      std::vector<uint32_t> alone;
      for (int64_t t = 0; t < 40; ++t) {
        const auto bits = Bits(Attend(kernels(), problem, cache, 2, t, t + 1));
        alone.insert(alone.end(), bits.begin(), bits.end());
      }
      EXPECT_EQ(alone, expected);
    }
  }
}

TEST_P(AttentionTest, NaNReachesThoseWhoSeeItAndNoOther) {
  std::mt19937 random(5);
  Problem problem = RandomProblem(
      random, {.heads = 4, .kv_heads = 2, .head_size = 16, .length = 140, .tokens = 140});
  const std::vector<float> clean = Attend(kernels(), problem);
  const auto expect = [&](const std::vector<float>& out, const auto& sees) {
    for (int64_t i = 0; i < static_cast<int64_t>(out.size()); ++i) {
      const int64_t t = i / 64;
      const int64_t head = i / 16 % 4;
      if (sees(t, head)) {
        ASSERT_TRUE(std::isnan(out[Count(i)])) << "token " << t << " head " << head;
      } else {
        ASSERT_EQ(out[Count(i)], clean[Count(i)]) << "token " << t << " head " << head;
      }
    }
  };
  Problem query = problem;
  query.q[Count((70 * 4 + 3) * 16 + 5)] = kNaN;
  expect(Attend(kernels(), query), [](int64_t t, int64_t head) { return t == 70 && head == 3; });
  for (const int64_t position : {0, 63, 64, 100}) {
    Problem key = problem;
    key.k[Count((position * 2 + 1) * 16 + 15)] = kNaN;
    expect(Attend(kernels(), key),
           [&](int64_t t, int64_t head) { return t >= position && head >= 2; });
    key.window = 1;
    const std::vector<float> narrow = Attend(kernels(), key);
    EXPECT_EQ(std::isnan(narrow.back()), position == 139);
  }
}

TEST_P(AttentionTest, ValuesBeyondF16BecomeInfiniteInItAndStayInF32) {
  std::mt19937 random(6);
  Problem problem = RandomProblem(random, {.head_size = 16, .length = 3, .tokens = 1});
  problem.v[16] = 1e6F;  // position 1, channel 0
  const std::vector<float> exact = Attend(kernels(), problem);
  ASSERT_NO_FATAL_FAILURE(ExpectAttention(problem, exact));
  problem.type = KvType::kF16;
  const std::vector<float> half = Attend(kernels(), problem);
  EXPECT_EQ(half[0], kInf);
  for (size_t i = 1; i < 16; ++i) EXPECT_TRUE(std::isfinite(half[i])) << i;
}

TEST_P(AttentionTest, WritesKeysAndValuesWhereTheLayoutSays) {
  std::mt19937 random(7);
  for (const KvType type : {KvType::kF32, KvType::kF16}) {
    Problem problem = RandomProblem(
        random, {.heads = 3, .kv_heads = 3, .head_size = 7, .length = 130, .type = type});
    problem.k[0] = 1e6F;    // infinite in F16
    problem.k[1] = 1e-40F;  // zero in F16, subnormal in float
    problem.k[2] = 6e-8F;   // subnormal in F16
    problem.k[3] = kNaN;
    for (const int64_t piece : {1, 33, 130}) {
      const Cache cache(kernels(), problem, piece);
      for (int64_t s = 0; s < 192; ++s) {
        for (int64_t i = 0; i < 21; ++i) {
          const int64_t element = (i / 7 * kKvPageTokens + s % kKvPageTokens) * 7 + i % 7;
          for (const int64_t part : {0, 1}) {
            const std::byte* page = cache.storage()[Count(s / kKvPageTokens * 2 + part)].data();
            uint32_t bits = 0;
            const size_t bytes = type == KvType::kF32 ? 4 : 2;
            std::memcpy(&bits, page + element * static_cast<int64_t>(bytes), bytes);
            const uint32_t untouched = type == KvType::kF32 ? 0xFFFFFFFFU : 0xFFFFU;
            const float value =
                s < 130 ? (part == 0 ? problem.k : problem.v)[Count(s * 21 + i)] : 0.0F;
            if (std::isnan(value)) continue;  // any NaN will do; the next lines see that it is one
            const uint32_t written =
                type == KvType::kF32 ? std::bit_cast<uint32_t>(value) : F16FromFloat(value);
            ASSERT_EQ(bits, s < 130 ? written : untouched) << s << ' ' << i << ' ' << part;
          }
        }
      }
      float nan = 0;
      std::memcpy(&nan, cache.storage()[0].data() + 3 * 4, sizeof nan);
      if (type == KvType::kF32) {
        EXPECT_TRUE(std::isnan(nan));
      }
      uint16_t half = 0;
      std::memcpy(&half, cache.storage()[0].data() + 3 * 2, sizeof half);
      if (type == KvType::kF16) {
        EXPECT_TRUE(std::isnan(FloatFromF16(half)));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, AttentionTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
