#include "tome/kernels/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "tests/kernels/attention_inputs.h"

namespace tome {
namespace {

// Returns whether a set rounds operands to BF16 for pages of a type.
bool RoundsToBF16(const KernelSet& kernels, KvType type) {
  return HasBF16Dot(kernels) && type != KvType::kF32;
}

double Multiplied(bool rounded, double x) {
  return rounded ? double{FloatFromBF16(BF16FromFloat(static_cast<float>(x)))} : x;
}

// Returns the keys or values of one head as they are multiplied, [positions][size].
std::vector<double> ReadHead(const Queries& queries, bool rounded, bool key, int64_t kv_head,
                             int64_t begin, int64_t end) {
  std::vector<double> x;
  x.reserve(Count((end - begin) * queries.cache->heads().size));
  for (int64_t position = begin; position < end; ++position) {
    const Cache& cache = queries.CacheOf(position);
    for (int64_t c = 0; c < cache.heads().size; ++c) {
      x.push_back(Multiplied(rounded, cache.Read(key, position, kv_head, c)));
    }
  }
  return x;
}

bool Attends(const Queries& queries, int64_t position, int64_t kv_head, int64_t other) {
  if (queries.chosen == nullptr) return true;
  const AttentionSequence sequence{
      .kv = {}, .first_position = queries.first, .chosen = queries.chosen, .ranges = {}};
  const auto pages = ChosenFor(sequence, position, kv_head, queries.cache->heads().kv_heads);
  return std::binary_search(pages.begin(), pages.end(), other / kKvPageTokens);
}

// Compares `out` with the definition, computed in double with a row of scores from the contents of
// the pages.
//
// Tolerance. A score is a dot product of D terms, scaled and capped. It errs by
// δ = (D + 2) u · scale · Σ|q k| plus a few u of itself and of the cap (tanh's slope is at most 1).
// Weights are exponentials of differences to a reference: the largest score of a page, then of a
// part, then of all. The differences are rounded. They sum up to the difference between a score and
// the last reference, except for the step to a larger reference (2 u of the range of scores). exp
// turns that into a relative error of a weight; weights and their sum both have it, hence 2 δ. Sums
// over n positions, exp (eight roundoffs at most), the rescaling once a page and a part at most,
// and the division add n + 24 + 10 (pages + parts) roundings, all relative to Σ p |v|.
//
// Where the set has BF16 dot products, queries (in the units of scores), keys and values are first
// rounded to nearest even, and the expectation uses the rounded numbers. Weights are rounded too,
// by 2^-9 relative to themselves, but not where they are summed up, and are within 3e-6 before:
// 2^-8 has room for both. Products below 2^-126 become zero then.
void ExpectAttention(const KernelSet& kernels, const Queries& queries,
                     const std::vector<float>& out, int64_t stride = 1) {
  const Cache& cache = *queries.cache;
  const Heads& heads = cache.heads();
  const bool rounded = RoundsToBF16(kernels, heads.type);
  const int64_t size = heads.size;
  const int64_t group = heads.heads / heads.kv_heads;
  const double scale = ScaleOf(heads);
  const double to_log2 = double{ScaleOf(heads) * std::numbers::log2e_v<float>};
  const double cap = heads.soft_cap;
  const int64_t last = queries.first + queries.tokens() - 1;
  const int64_t begin = FirstSeen(queries.first, heads.window);
  for (int64_t kv_head = 0; kv_head < heads.kv_heads; ++kv_head) {
    const std::vector<double> keys = ReadHead(queries, rounded, true, kv_head, begin, last + 1);
    const std::vector<double> values = ReadHead(queries, rounded, false, kv_head, begin, last + 1);
    for (int64_t t = 0; t < queries.tokens(); t += stride) {
      const int64_t position = queries.first + t;
      const int64_t first =
          heads.window > 0 ? std::max<int64_t>(0, position - heads.window + 1) : 0;
      for (int64_t h = kv_head * group; h < (kv_head + 1) * group; ++h) {
        const size_t at = Count((t * heads.heads + h) * size);
        std::vector<double> scores;
        std::vector<int64_t> attended;
        double delta = 0;
        for (int64_t s = first; s <= position; ++s) {
          if (!Attends(queries, position, kv_head, s)) continue;
          attended.push_back(s);
          const std::vector<float>& q = queries.For(s);
          const double* const k = keys.data() + (s - begin) * size;
          double dot = 0;
          double magnitude = 0;
          for (int64_t i = 0; i < size; ++i) {
            // The set rounds a query in the units of its scores.
            const double turned =
                Multiplied(rounded, q[at + Count(i)] * static_cast<float>(to_log2));
            const double term = turned / to_log2 * k[i];
            dot += term;
            magnitude += std::abs(term);
          }
          const double scaled = scale * dot;
          scores.push_back(cap > 0 ? cap * std::tanh(scaled / cap) : scaled);
          delta = std::max(delta, static_cast<double>(size + 2) * kRoundoff * scale * magnitude +
                                      12 * kRoundoff * (std::abs(scores.back()) + cap));
        }
        const double largest = *std::max_element(scores.begin(), scores.end());
        const double smallest = *std::min_element(scores.begin(), scores.end());
        delta += 2 * kRoundoff * (largest - smallest);
        double total = 0;
        for (double& score : scores) total += score = std::exp(score - largest);
        const auto seen = static_cast<double>(scores.size());
        const double steps = seen / kKvPageTokens + seen / kKvPartTokens + 4;
        const double relative =
            std::expm1(2 * delta) + (seen + 24 + 10 * steps) * kRoundoff + (rounded ? 0x1p-8 : 0);
        std::vector<double> expected(Count(size));
        std::vector<double> magnitudes(Count(size));
        for (size_t s = 0; s < attended.size(); ++s) {
          const double* const v = values.data() + (attended[s] - begin) * size;
          const double weight = scores[s] / total;
          for (int64_t i = 0; i < size; ++i) {
            expected[Count(i)] += weight * v[i];
            magnitudes[Count(i)] += std::abs(weight * v[i]);
          }
        }
        for (size_t i = 0; i < expected.size(); ++i) {
          ASSERT_NEAR(out[at + i], expected[i],
                      relative * magnitudes[i] + 0x1p-126 * (seen + 1) * (rounded ? 1 : 0) +
                          seen * kUnderflow)
              << NameOf(heads.type) << " position " << position << " head " << h << " channel "
              << i;
        }
      }
    }
  }
}

class AttentionTest : public KernelTest {
 protected:
  Cache RandomCache(std::mt19937& random, const Heads& heads, int64_t length) const {
    Cache cache(heads, length);
    cache.WriteRandom(kernels(), random);
    return cache;
  }
};

TEST_P(AttentionTest, AQueryThatMatchesOneKeyReadsItsValue) {
  // Keys are unit vectors; a query of 200 e_s scores 200 at position s and 0 elsewhere, and e^-200
  // vanishes in float. Values are whole numbers that each type holds exactly, or nearly (Q8, Q4).
  for (const KvType type : kKvTypes) {
    Cache cache({.size = 16, .type = type, .scale = 1}, 16);
    std::vector<float> k(16 * 16);
    std::vector<float> v;
    for (size_t s = 0; s < 16; ++s) {
      k[s * 17] = 1;
      for (size_t i = 0; i < 16; ++i) v.push_back(static_cast<float>(s * 16 + i));
    }
    cache.Write(kernels(), 0, k, v);
    for (int64_t s = 0; s < 16; ++s) {
      Queries queries{&cache, 15, std::vector<float>(16)};
      queries.q[Count(s)] = 200;
      const std::vector<float> out = Attend(kernels(), queries);
      for (int64_t i = 0; i < 16; ++i) {
        const double value = cache.Read(false, s, 0, i);
        EXPECT_EQ(out[Count(i)], Multiplied(RoundsToBF16(kernels(), type), value))
            << NameOf(type) << ' ' << s;
      }
    }
  }
}

TEST_P(AttentionTest, EqualScoresGiveTheMeanOfWhatIsSeen) {
  // Values count positions 0, 1, 2, … (as far as BF16 and integers of 8 bits hold them). The mean
  // up to p is p / 2, and the mean of the last w positions is p - (w - 1) / 2.
  for (const KvType type : {KvType::kF32, KvType::kF16, KvType::kBF16, KvType::kQ8}) {
    for (const int64_t window : {0, 1, 5, 64, 100}) {
      Cache cache({.size = 16, .type = type, .window = window}, 200);
      std::vector<float> v;
      for (int s = 0; s < 200; ++s) v.insert(v.end(), 16, static_cast<float>(s));
      cache.Write(kernels(), 0, std::vector<float>(200 * 16, 1), v);
      const std::vector<float> out = Attend(kernels(), {&cache, 0, std::vector<float>(200 * 16)});
      for (int64_t p = 0; p < 200; ++p) {
        const int64_t seen = window == 0 ? p + 1 : std::min(p + 1, window);
        const double mean = static_cast<double>(p) - static_cast<double>(seen - 1) / 2;
        // The scale of Q8 is rounded to eleven bits.
        const double bound = 1e-4 + (type == KvType::kQ8 ? mean * 0x1p-10 : 0);
        EXPECT_NEAR(out[Count(p * 16)], mean, bound) << "window " << window << " position " << p;
      }
    }
  }
}

TEST_P(AttentionTest, AgreesWithDoublePrecision) {
  std::mt19937 random(1);
  constexpr std::array<std::pair<int64_t, int64_t>, 7> kHeads{
      {{1, 1}, {2, 1}, {3, 3}, {6, 2}, {8, 2}, {8, 8}, {8, 1}}};
  constexpr std::array<int64_t, 4> kSizes{16, 64, 80, 128};
  constexpr std::array<int64_t, 6> kQueries{1, 2, 7, 33, 70, 1};
  size_t number = 0;
  for (const int64_t length : {1, 2, 63, 64, 65, 128, 129, 257}) {
    for (const int64_t window : {0, 1, 5, 64, 100}) {
      for (const KvType type : kKvTypes) {
        // Heads, sizes, caps and numbers of queries alternate with different periods.
        const auto [heads, kv_heads] = kHeads[number % kHeads.size()];
        const Cache cache = RandomCache(random,
                                        {.heads = heads,
                                         .kv_heads = kv_heads,
                                         .size = kSizes[number / 3 % kSizes.size()],
                                         .type = type,
                                         .window = window,
                                         .soft_cap = number / 5 % 3 == 0 ? 2.0F : 0.0F},
                                        length);
        const int64_t tokens = std::min(length, kQueries[number / 2 % kQueries.size()]);
        SCOPED_TRACE(testing::Message()
                     << "length " << length << " tokens " << tokens << " window " << window
                     << " cap " << cache.heads().soft_cap << " heads " << heads << '/' << kv_heads
                     << " of " << cache.heads().size);
        const Queries queries = RandomQueries(random, cache, tokens);
        ASSERT_NO_FATAL_FAILURE(
            ExpectAttention(kernels(), queries, Attend(kernels(), queries), tokens > 33 ? 3 : 1));
        ++number;
      }
    }
  }
}

// Lengths lie around the ends of parts (1024 tokens). Calls with few queries are cut by parts,
// calls with many are not.
TEST_P(AttentionTest, AgreesWithDoublePrecisionAcrossParts) {
  std::mt19937 random(2);
  size_t number = 0;
  for (const int64_t length : {1023, 1024, 1025, 2100}) {
    for (const int64_t window : {0, 600, 1030}) {
      for (const int64_t tokens : {1, 3, 90}) {
        const Cache cache = RandomCache(random,
                                        {.heads = 2,
                                         .kv_heads = 1,
                                         .size = number % 2 == 0 ? 16 : 33,
                                         .type = kKvTypes[number % kKvTypes.size()],
                                         .window = window},
                                        length);
        const Queries queries = RandomQueries(random, cache, tokens);
        ASSERT_NO_FATAL_FAILURE(
            ExpectAttention(kernels(), queries, Attend(kernels(), queries), tokens > 3 ? 19 : 1))
            << length << " window " << window << " tokens " << tokens;
        ++number;
      }
    }
  }
}

// Each page has scores far above or far below those of the pages before it. Weights relative to the
// first page's would overflow or vanish.
TEST_P(AttentionTest, AgreesWherePagesAreFarApart) {
  std::mt19937 random(9);
  constexpr int64_t kLength = 1290;  // blocks of queries do not end where pages do
  for (const KvType type : kKvTypes) {
    for (const bool rising : {true, false}) {
      for (const auto& [window, soft_cap] :
           {std::pair{0, 0.0F}, std::pair{0, 300.0F}, std::pair{5, 0.0F}}) {
        const Heads heads{.heads = 4,
                          .kv_heads = 2,
                          .size = 16,
                          .type = type,
                          .window = window,
                          .soft_cap = soft_cap};
        Cache cache(heads, kLength);
        const int64_t a_token = heads.kv_heads * heads.size;
        std::vector<float> k = RandomFloats(random, kLength * a_token);
        for (size_t i = 0; i < k.size(); ++i) {
          const auto page = static_cast<int64_t>(i) / a_token / kKvPageTokens;
          k[i] *= static_cast<float>(rising ? 1 + 12 * page : 1 + 12 * (kLength / 64 - page));
        }
        cache.Write(kernels(), 0, k, RandomFloats(random, kLength * a_token));
        for (const int64_t tokens : {1, 5, 130}) {
          const Queries queries = RandomQueries(random, cache, tokens);
          const std::vector<float> out = Attend(kernels(), queries);
          const auto where = [&, w = window, c = soft_cap] {
            return testing::Message() << NameOf(type) << (rising ? " rising" : " falling")
                                      << " cap " << c << " window " << w << " tokens " << tokens;
          };
          ASSERT_NO_FATAL_FAILURE(ExpectAttention(kernels(), queries, out, tokens > 5 ? 3 : 1))
              << where();
          // The bits depend neither on the cut into calls nor on the number of threads.
          EXPECT_TRUE(SameBits(Attend(kernels(), queries, 3), out)) << where();
          for (int64_t t = 0; t < tokens; t += 43) {
            const int64_t end = std::min(tokens, t + (t > 43 ? 40 : 2));
            const int64_t width = queries.Width();
            EXPECT_TRUE(SameBits(Attend(kernels(), queries.Slice(t, end)),
                                 {out.begin() + t * width, out.begin() + end * width}))
                << where() << " from " << t;
          }
        }
      }
    }
  }
}

TEST_P(AttentionTest, AgreesForAwkwardHeadSizesAndTheLargest) {
  std::mt19937 random(3);
  for (const KvType type : kKvTypes) {
    for (const int64_t size : {1, 2, 7, 8, 31, 33, 36, 100, 257, 512}) {
      const Cache cache =
          RandomCache(random, {.heads = 4, .kv_heads = 2, .size = size, .type = type}, 100);
      for (const int64_t tokens : {1, 9, 66}) {
        const Queries queries = RandomQueries(random, cache, tokens);
        ASSERT_NO_FATAL_FAILURE(
            ExpectAttention(kernels(), queries, Attend(kernels(), queries), tokens > 9 ? 7 : 1))
            << size;
      }
    }
  }
}

TEST_P(AttentionTest, AgreesForManyHeadsOfOneKeyHead) {
  std::mt19937 random(4);
  for (const auto& [heads, kv_heads, size] :
       {std::array<int64_t, 3>{40, 1, 64}, {40, 1, 130}, {66, 2, 16}, {24, 1, 257}, {2, 1, 250}}) {
    for (const KvType type : {KvType::kF32, KvType::kF16, KvType::kQ8}) {
      if (IsGeneric(kernels()) && type != KvType::kF16) continue;  // takes long
      const Cache cache = RandomCache(
          random, {.heads = heads, .kv_heads = kv_heads, .size = size, .type = type}, 330);
      for (const int64_t tokens : {1, 5, 70}) {
        const Queries queries = RandomQueries(random, cache, tokens);
        ASSERT_NO_FATAL_FAILURE(
            ExpectAttention(kernels(), queries, Attend(kernels(), queries), tokens > 5 ? 23 : 1))
            << heads << " heads of " << size;
      }
    }
  }
}

// Each key head has more heads than are attended together (HeadsTogether), and the remaining ones
// fill no whole tiles. Without care, two key heads of a long memory would go into one task.
TEST_P(AttentionTest, TheRestOfManyHeadsKeepsToItsKeyHead) {
  std::mt19937 random(12);
  for (const KvType type : {KvType::kF16, KvType::kBF16}) {
    const Cache cache =
        RandomCache(random, {.heads = 88, .kv_heads = 2, .size = 16, .type = type}, 4200);
    const Queries queries = RandomQueries(random, cache, 2);
    ASSERT_NO_FATAL_FAILURE(ExpectAttention(kernels(), queries, Attend(kernels(), queries)));
  }
}

// Pages have other queries, in three ranges of which one begins in the middle of a part: for few
// tokens, for many, and for two sequences that share pages and have ranges of their own.
TEST_P(AttentionTest, PagesAreAttendedWithTheirOwnQueries) {
  std::mt19937 random(12);
  size_t number = 0;
  for (const KvType type : kKvTypes) {
    for (const int64_t tokens : {1, 5, 70, 200}) {
      const Heads heads{.heads = 4,
                        .kv_heads = 2,
                        .size = number % 2 == 0 ? 32 : 33,
                        .type = type,
                        .window = number % 3 == 0 ? 700 : 0};
      ++number;
      const Cache cache = RandomCache(random, heads, 1290);
      const Cache fork = cache.Fork(1290 - tokens, 1290);
      Cache forked = fork;
      forked.WriteRandom(kernels(), random, 1290 - tokens);
      const auto with_ranges = [&](const Cache& of, const std::vector<int64_t>& pages) {
        Queries queries = RandomQueries(random, of, tokens);
        for (const int64_t page : pages) {
          queries.ranges.emplace_back(page, RandomQueries(random, of, tokens).q);
        }
        return queries;
      };
      const Queries one = with_ranges(cache, {3, 18});
      const Queries other = with_ranges(forked, {0, 10});
      const std::vector<float> alone = Attend(kernels(), one);
      ASSERT_NO_FATAL_FAILURE(ExpectAttention(kernels(), one, alone, tokens > 5 ? 23 : 1))
          << NameOf(type) << ' ' << tokens;
      const auto outs = AttendAll(kernels(), {other, one}, 2);
      EXPECT_TRUE(SameBits(outs[1], alone)) << NameOf(type) << ' ' << tokens;
      EXPECT_TRUE(SameBits(outs[0], Attend(kernels(), other))) << NameOf(type) << ' ' << tokens;
      const std::vector<float> last = Attend(kernels(), one.Slice(tokens - 1, tokens), 2);
      EXPECT_TRUE(SameBits(last, {alone.end() - one.Width(), alone.end()})) << NameOf(type);
      // Ranges with the same queries change nothing.
      Queries same = with_ranges(cache, {});
      const std::vector<float> plain = Attend(kernels(), same);
      same.ranges = {{2, same.q}, {17, same.q}};
      EXPECT_TRUE(SameBits(Attend(kernels(), same), plain)) << NameOf(type) << ' ' << tokens;
    }
  }
}

TEST_P(AttentionTest, LargeScoresDoNotOverflow) {
  // Scores are about ±1e4, whose exp alone would be infinite.
  std::mt19937 random(5);
  for (const KvType type : kKvTypes) {
    const Cache cache =
        RandomCache(random, {.heads = 2, .kv_heads = 1, .size = 64, .type = type}, 150);
    const Queries queries = RandomQueries(random, cache, 3, 2e4);
    const std::vector<float> out = Attend(kernels(), queries);
    double most = 0;
    for (int64_t s = 0; s < 150; ++s) {
      for (int64_t i = 0; i < 64; ++i) most = std::max(most, std::abs(cache.Read(false, s, 0, i)));
    }
    for (const float value : out) {
      ASSERT_TRUE(std::isfinite(value));
      EXPECT_LE(std::abs(value), most * (1 + 0x1p-7));  // a weighted mean of values, rounded
    }
  }
}

TEST_P(AttentionTest, BitsDependNeitherOnThreadsNorOnTheChunk) {
  std::mt19937 random(6);
  for (const KvType type : kKvTypes) {
    for (const auto& [window, size] : {std::pair<int64_t, int64_t>{0, 33}, {100, 64}, {1000, 16}}) {
      if (IsGeneric(kernels()) && (type != KvType::kQ4 || size != 16)) continue;  // takes long
      // The call with all 200 tokens is cut by rows, calls with 1, 7 and 40 are cut by parts. The
      // first part ends within the 200 tokens.
      constexpr int64_t kTokens = 200;
      const Cache cache = RandomCache(
          random, {.heads = 6, .kv_heads = 2, .size = size, .type = type, .window = window}, 1130);
      const Queries queries = RandomQueries(random, cache, kTokens);
      const std::vector<float> expected = Attend(kernels(), queries);
      const auto where = [&, w = window] {
        return testing::Message() << NameOf(type) << " window " << w;
      };
      EXPECT_TRUE(SameBits(Attend(kernels(), queries, 2), expected)) << where();
      EXPECT_TRUE(SameBits(Attend(kernels(), queries, 4), expected)) << where();
      const auto expect_slice = [&](int64_t begin, int64_t end, int threads) {
        const std::vector<float> out = Attend(kernels(), queries.Slice(begin, end), threads);
        const int64_t width = queries.Width();
        EXPECT_TRUE(
            SameBits(out, {expected.begin() + begin * width, expected.begin() + end * width}))
            << where() << " tokens " << begin << " to " << end;
      };
      for (const int64_t t : {0, 1, 40, 63, 92, 93, 94, 95, 150, 199}) expect_slice(t, t + 1, 2);
      for (int64_t t = 0; t < kTokens; t += 40) expect_slice(t, t + 40, 1 + (t > 0));
      expect_slice(90, 97, 1);
      expect_slice(60, 160, 2);
    }
  }
}

TEST_P(AttentionTest, BitsDoNotDependOnTheOtherSequences) {
  std::mt19937 random(7);
  for (const KvType type : kKvTypes) {
    if (IsGeneric(kernels()) && type != KvType::kQ8) continue;  // takes long
    for (const int64_t window : {0, 300}) {
      if (IsGeneric(kernels()) && window == 0) continue;
      const Heads heads{.heads = 4, .kv_heads = 2, .size = 40, .type = type, .window = window};
      const Cache trunk = RandomCache(random, heads, 1100);
      const auto fork = [&](int64_t position, int64_t length) {
        Cache cache = trunk.Fork(position, length);
        cache.WriteRandom(kernels(), random, position);
        return cache;
      };
      // The forks diverge within the second part, at the end of the first, and within the first.
      const std::vector<Cache> caches{trunk,
                                      fork(1100, 1101),
                                      fork(1100, 1105),
                                      fork(1088, 1300),
                                      fork(1024, 1030),
                                      fork(700, 760),
                                      RandomCache(random, heads, 90),
                                      RandomCache(random, heads, 1030)};
      std::vector<Queries> batch;
      for (const auto& [cache, tokens] : {std::pair<size_t, int64_t>{1, 1},
                                          {6, 90},
                                          {0, 1},
                                          {2, 5},
                                          {3, 200},
                                          {4, 3},
                                          {5, 60},
                                          {7, 1}}) {
        batch.push_back(RandomQueries(random, caches[cache], tokens));
      }
      for (const int threads : {1, 3}) {
        const auto outs = AttendAll(kernels(), batch, threads);
        for (size_t i = 0; i < batch.size(); ++i) {
          EXPECT_TRUE(SameBits(outs[i], Attend(kernels(), batch[i])))
              << NameOf(type) << " sequence " << i << " window " << window;
        }
      }
      const Queries& last = batch.back();
      ASSERT_NO_FATAL_FAILURE(ExpectAttention(kernels(), last, Attend(kernels(), last)));
    }
  }
}

// Two sequences have the same pages. The longer one has written after the last position that the
// shorter one may see.
TEST_P(AttentionTest, SequencesOfTheSamePagesMayEndAtDifferentPositions) {
  std::mt19937 random(8);
  for (const KvType type : kKvTypes) {
    const Cache cache = RandomCache(random, {.heads = 2, .size = 32, .type = type}, 60);
    const Queries all = RandomQueries(random, cache, 60);
    const auto expected = Attend(kernels(), all.Slice(50, 60));
    // The shorter sequence comes first, then last.
    for (const bool reversed : {false, true}) {
      std::vector<Queries> batch{all.Slice(20, 21), all.Slice(50, 60)};
      if (reversed) std::swap(batch[0], batch[1]);
      const auto outs = AttendAll(kernels(), batch);
      EXPECT_TRUE(SameBits(outs[reversed ? 1 : 0], Attend(kernels(), all.Slice(20, 21))))
          << NameOf(type);
      EXPECT_TRUE(SameBits(outs[reversed ? 0 : 1], expected)) << NameOf(type);
    }
  }
}

// Returns random pages before each run, together with the pages of the run's own tokens.
ChosenPages RandomChoice(std::mt19937& random, const Queries& queries, int64_t run_tokens) {
  ChosenPages chosen{.first_position = queries.first, .run_tokens = run_tokens, .lists = {}};
  const int64_t end = queries.first + queries.tokens();
  for (int64_t position = queries.first; position < end;) {
    const int64_t next = std::min(end, (position / run_tokens + 1) * run_tokens);
    for (int64_t head = 0; head < queries.cache->heads().kv_heads; ++head) {
      std::vector<int32_t> pages;
      for (int64_t page = 0; page <= (next - 1) / kKvPageTokens; ++page) {
        if (random() % 3 == 0 || page >= position / kKvPageTokens) {
          pages.push_back(static_cast<int32_t>(page));
        }
      }
      chosen.lists.push_back(std::move(pages));
    }
    position = next;
  }
  return chosen;
}

TEST_P(AttentionTest, AttendsExactlyTheChosenPages) {
  std::mt19937 random(11);
  size_t number = 0;
  for (const KvType type : kKvTypes) {
    for (const auto& [tokens, run] :
         {std::pair<int64_t, int64_t>{1, 1}, {5, 1}, {90, 128}, {200, 128}, {200, 1}}) {
      if (IsGeneric(kernels()) && tokens > 5 && type != KvType::kQ8) continue;  // takes long
      const Cache cache = RandomCache(random,
                                      {.heads = 8,
                                       .kv_heads = 2,
                                       .size = number % 2 == 0 ? 32 : 33,
                                       .type = type,
                                       .soft_cap = number % 3 == 0 ? 2.0F : 0.0F},
                                      2300 + static_cast<int64_t>(number % 5));
      Queries queries = RandomQueries(random, cache, tokens);
      const ChosenPages chosen = RandomChoice(random, queries, run);
      queries.chosen = &chosen;
      const std::vector<float> out = Attend(kernels(), queries);
      SCOPED_TRACE(testing::Message() << tokens << " tokens in runs of " << run);
      ASSERT_NO_FATAL_FAILURE(ExpectAttention(kernels(), queries, out, tokens > 5 ? 7 : 1));
      EXPECT_TRUE(SameBits(Attend(kernels(), queries, 3), out));
      ++number;
    }
  }
}

TEST_P(AttentionTest, AllPagesChosenGiveTheBitsOfExactAttention) {
  std::mt19937 random(12);
  const Cache cache =
      RandomCache(random, {.heads = 4, .kv_heads = 2, .size = 32, .type = KvType::kF16}, 1500);
  for (const auto& [tokens, run] : {std::pair<int64_t, int64_t>{1, 1}, {9, 1}, {150, 128}}) {
    const Queries exact = RandomQueries(random, cache, tokens);
    Queries all = exact;
    ChosenPages chosen = RandomChoice(random, exact, run);
    for (std::vector<int32_t>& list : chosen.lists) {
      const int32_t last = list.back();
      list.clear();
      for (int32_t page = 0; page <= last; ++page) list.push_back(page);
    }
    all.chosen = &chosen;
    EXPECT_TRUE(SameBits(Attend(kernels(), all), Attend(kernels(), exact))) << tokens;
  }
}

// A memory with a main type of few bits has pages of both types.
TEST_P(AttentionTest, ReadsOlderPagesInTheirOwnType) {
  std::mt19937 random(14);
  for (const KvType type : {KvType::kQ8, KvType::kQ4}) {
    for (const int64_t tokens : {1, 5, 100}) {
      if (IsGeneric(kernels()) && tokens > 5) continue;  // takes long
      Heads heads{.heads = 8, .kv_heads = 2, .size = 48, .type = KvType::kBF16};
      const Cache local_cache = RandomCache(random, heads, 2300);
      heads.type = type;
      // The main pages hold other tokens, so that a mistake shows.
      const Cache main_cache = RandomCache(random, heads, 2300);
      Queries queries = RandomQueries(random, local_cache, tokens);
      queries.main_cache = &main_cache;
      queries.local_begin = 2 * kKvPartPages;
      const std::vector<float> out = Attend(kernels(), queries);
      SCOPED_TRACE(testing::Message() << tokens << " tokens, " << NameOf(type));
      ASSERT_NO_FATAL_FAILURE(ExpectAttention(kernels(), queries, out, tokens > 5 ? 7 : 1));
      EXPECT_TRUE(SameBits(Attend(kernels(), queries, 3), out));
      const ChosenPages chosen = RandomChoice(random, queries, tokens > 5 ? 128 : 1);
      queries.chosen = &chosen;
      ASSERT_NO_FATAL_FAILURE(
          ExpectAttention(kernels(), queries, Attend(kernels(), queries, 2), tokens > 5 ? 7 : 1));
    }
  }
}

TEST_P(AttentionTest, ChosenPagesDoNotDependOnTheOtherSequences) {
  std::mt19937 random(13);
  const Heads heads{.heads = 4, .kv_heads = 2, .size = 40, .type = KvType::kBF16};
  const Cache trunk = RandomCache(random, heads, 1300);
  const Cache other = RandomCache(random, heads, 1100);
  std::vector<Queries> batch;
  for (const auto& [cache, tokens] :
       {std::pair<const Cache*, int64_t>{&trunk, 1}, {&trunk, 3}, {&other, 100}, {&trunk, 1}}) {
    batch.push_back(RandomQueries(random, *cache, tokens));
  }
  const ChosenPages one = RandomChoice(random, batch[0], 1);
  const ChosenPages three = RandomChoice(random, batch[1], 1);
  const ChosenPages many = RandomChoice(random, batch[2], 128);
  batch[0].chosen = &one;
  batch[1].chosen = &three;
  batch[2].chosen = &many;
  const auto outs = AttendAll(kernels(), batch, 3);
  for (size_t i = 0; i < batch.size(); ++i) {
    EXPECT_TRUE(SameBits(outs[i], Attend(kernels(), batch[i]))) << i;
  }
}

TEST_P(AttentionTest, NaNReachesThoseWhoSeeItAndNoOther) {
  std::mt19937 random(9);
  for (const KvType type : {KvType::kF32, KvType::kF16, KvType::kBF16}) {
    for (const int64_t size : {16, 33}) {
      const Heads heads{.heads = 4, .kv_heads = 2, .size = size, .type = type};
      const int64_t width = 2 * size;
      const std::vector<float> k = RandomFloats(random, 140 * width);
      const std::vector<float> v = RandomFloats(random, 140 * width);
      Cache cache(heads, 140);
      cache.Write(kernels(), 0, k, v);
      const Queries queries = RandomQueries(random, cache, 140);
      const std::vector<float> clean = Attend(kernels(), queries);
      const auto expect = [&](const std::vector<float>& out, int64_t first, const auto& sees) {
        for (int64_t i = 0; i < static_cast<int64_t>(out.size()); ++i) {
          const int64_t t = first + i / (4 * size);
          const int64_t head = i / size % 4;
          if (sees(t, head)) {
            ASSERT_TRUE(std::isnan(out[Count(i)])) << "token " << t << " head " << head;
          } else {
            ASSERT_EQ(out[Count(i)], clean[Count(first * 4 * size + i)])
                << NameOf(type) << " of " << size << " token " << t << " head " << head;
          }
        }
      };
      // The bad number is in a query, at either end of its head. Infinity gives infinite scores,
      // whose difference is not a number.
      for (const float what : {kNaN, kInf}) {
        for (const int64_t channel : {int64_t{0}, size - 1}) {
          Queries dirty = queries;
          dirty.q[Count((70 * 4 + 2) * size + channel)] = what;
          const auto sees = [](int64_t t, int64_t head) { return t == 70 && head == 2; };
          ASSERT_NO_FATAL_FAILURE(expect(Attend(kernels(), dirty), 0, sees));
          ASSERT_NO_FATAL_FAILURE(expect(Attend(kernels(), dirty.Slice(65, 80)), 65, sees));
        }
      }
      for (const int64_t position : {0, 63, 64, 100}) {
        std::vector<float> dirty = k;
        dirty[Count((position * 2 + 1) * size + size - 1)] = kNaN;
        Cache key(heads, 140);
        key.Write(kernels(), 0, dirty, v);
        Queries same = queries;
        same.cache = &key;
        const auto sees = [&](int64_t t, int64_t head) { return t >= position && head >= 2; };
        ASSERT_NO_FATAL_FAILURE(expect(Attend(kernels(), same), 0, sees));
        ASSERT_NO_FATAL_FAILURE(expect(Attend(kernels(), same.Slice(90, 120)), 90, sees));
        Heads narrow = heads;
        narrow.window = 1;
        Cache windowed(narrow, 140);
        windowed.Write(kernels(), 0, dirty, v);
        const std::vector<float> out = Attend(kernels(), {&windowed, 0, queries.q});
        for (int64_t t = 0; t < 140; ++t) {
          EXPECT_EQ(std::isnan(out[Count((t * 4 + 3) * size)]), t == position) << t;
          EXPECT_FALSE(std::isnan(out[Count(t * 4 * size)])) << t;
        }
      }
    }
  }
}

TEST_P(AttentionTest, ValuesBeyondF16SaturateInItAndStayInF32) {
  std::mt19937 random(10);
  for (const KvType type : {KvType::kF32, KvType::kF16, KvType::kBF16}) {
    Cache cache({.size = 16, .type = type}, 3);
    std::vector<float> v = RandomFloats(random, 48);
    v[16] = 1e6F;  // position 1, channel 0
    cache.Write(kernels(), 0, RandomFloats(random, 48), v);
    const Queries queries = RandomQueries(random, cache, 1);
    const std::vector<float> out = Attend(kernels(), queries);
    EXPECT_EQ(cache.Read(false, 1, 0, 0) < 1e5, type == KvType::kF16);
    ASSERT_NO_FATAL_FAILURE(ExpectAttention(kernels(), queries, out));
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, AttentionTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
