#include "tome/kernels/attention_mass.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "tests/kernels/attention_inputs.h"

namespace tome {
namespace {

using Spans = std::vector<PositionSpan>;

// Pages are written by the `generic` set; they are the same whichever set attends to them.
const KernelSet& Generic() { return *AvailableKernelSets().back(); }

Cache RandomCache(std::mt19937& random, const Heads& heads, int64_t length) {
  Cache cache(heads, length);
  cache.WriteRandom(Generic(), random);
  return cache;
}

// Question names the heads, spans and first token whose mass is asked for.
struct Question {
  std::vector<int64_t> heads;
  Spans spans;
  int64_t first_token = 0;
};

// Returns the masses, [heads, spans], each added to `start`.
std::vector<double> MassOf(const Queries& queries, const Question& question, int threads = 1,
                           double start = 0) {
  std::vector<QueryRange> ranges;
  const AttentionSequence sequence = SequenceOf(queries, ranges);
  const AttentionArgs shape = ArgsOf(queries.cache->heads());
  std::vector<double> mass(question.heads.size() * question.spans.size(), start);
  ThreadPool pool(threads);
  AddAttentionMass({.sequence = sequence,
                    .shape = shape,
                    .first_token = question.first_token,
                    .heads = question.heads,
                    .spans = question.spans,
                    .mass = mass.data()},
                   pool);
  return mass;
}

// Shares holds the softmax of one token and head over the positions from `first` on that the token
// sees. `delta` bounds the error of the scores.
struct Shares {
  int64_t first = 0;
  std::vector<double> shares;
  double delta = 0;
};

// `keys` are those of the head's key head, [positions][size].
Shares SharesOf(const Queries& queries, const std::vector<double>& keys, int64_t token,
                int64_t head) {
  const Heads& heads = queries.cache->heads();
  const double scale = ScaleOf(heads);
  const double cap = heads.soft_cap;
  const int64_t position = queries.first + token;
  Shares result;
  if (heads.window > 0) result.first = std::max<int64_t>(0, position - heads.window + 1);
  const size_t at = Count((token * heads.heads + head) * heads.size);
  for (int64_t s = result.first; s <= position; ++s) {
    const std::vector<float>& q = queries.For(s);
    double dot = 0;
    double magnitude = 0;
    for (size_t i = 0; i < Count(heads.size); ++i) {
      const double term = double{q[at + i]} * keys[Count(s * heads.size) + i];
      dot += term;
      magnitude += std::abs(term);
    }
    const double score = cap > 0 ? cap * std::tanh(scale * dot / cap) : scale * dot;
    result.shares.push_back(score);
    result.delta =
        std::max(result.delta, static_cast<double>(heads.size + 2) * kRoundoff * scale * magnitude +
                                   (cap > 0 ? 12 * kRoundoff * (std::abs(score) + cap) : 0));
  }
  const double largest = *std::max_element(result.shares.begin(), result.shares.end());
  double total = 0;
  for (double& share : result.shares) total += share = std::exp(share - largest);
  for (double& share : result.shares) share /= total;
  return result;
}

// Compares `mass` with the definition, computed in double from the contents of the pages.
//
// Tolerance. A score is a dot product of D terms in float, scaled and capped. It errs by
// δ = (D + 2) u · scale · Σ|q k| and, where it is capped, by a few u of itself and of the cap
// (tanh's slope is at most 1). A weight and the total of weights are both off by a factor of
// exp(δ), hence 2 δ. All else is double: exp, the rescaling once a page, and sums over n positions.
void ExpectMass(const Queries& queries, const Question& question, const std::vector<double>& mass) {
  const Heads& heads = queries.cache->heads();
  const int64_t length = queries.first + queries.tokens();
  for (size_t i = 0; i < question.heads.size(); ++i) {
    const int64_t head = question.heads[i];
    std::vector<double> keys;
    for (int64_t s = 0; s < length; ++s) {
      const Cache& cache = queries.CacheOf(s);
      for (int64_t c = 0; c < heads.size; ++c) {
        keys.push_back(cache.Read(true, s, head / (heads.heads / heads.kv_heads), c));
      }
    }
    std::vector<double> expected(question.spans.size());
    std::vector<double> tolerance(question.spans.size());
    for (int64_t t = question.first_token; t < queries.tokens(); ++t) {
      const Shares of = SharesOf(queries, keys, t, head);
      const double relative =
          std::expm1(2 * of.delta) + static_cast<double>(2 * length + 16) * 0x1p-52;
      for (size_t j = 0; j < question.spans.size(); ++j) {
        const auto& [begin, end] = question.spans[j];
        for (int64_t s = std::max(begin, of.first);
             s < std::min(end, of.first + std::ssize(of.shares)); ++s) {
          expected[j] += of.shares[Count(s - of.first)];
          tolerance[j] += of.shares[Count(s - of.first)] * relative;
        }
      }
    }
    for (size_t j = 0; j < expected.size(); ++j) {
      ASSERT_NEAR(mass[i * expected.size() + j], expected[j], tolerance[j])
          << NameOf(heads.type) << " head " << head << " span " << question.spans[j].begin << " to "
          << question.spans[j].end;
    }
  }
}

std::vector<int64_t> AllHeads(const Heads& heads) {
  std::vector<int64_t> all;
  for (int64_t h = 0; h < heads.heads; ++h) all.push_back(h);
  return all;
}

TEST(AttentionMassTest, AQueryThatMatchesOneKeyGivesItAllItsMass) {
  // Keys are unit vectors; a query of 200 e_s scores about 200 at position s, and 0 elsewhere.
  for (const KvType type : kKvTypes) {
    Cache cache({.size = 16, .type = type, .scale = 1}, 16);
    std::vector<float> k(16 * 16);
    for (size_t s = 0; s < 16; ++s) k[s * 17] = 1;
    cache.Write(Generic(), 0, k, k);
    for (int64_t s = 0; s < 16; ++s) {
      Queries queries{&cache, 15, std::vector<float>(16)};
      queries.q[Count(s)] = 200;
      const Spans spans{{0, 3}, {3, 4}, {4, 4}, {7, 16}};
      const std::vector<double> mass = MassOf(queries, {.heads = {0}, .spans = spans});
      for (size_t j = 0; j < spans.size(); ++j) {
        const bool holds = spans[j].begin <= s && s < spans[j].end;
        EXPECT_NEAR(mass[j], holds ? 1 : 0, 1e-80) << NameOf(type) << " position " << s;
      }
    }
  }
}

TEST(AttentionMassTest, EqualScoresShareAlike) {
  // A query of zeros gives the same mass to each position that it sees.
  for (const KvType type : kKvTypes) {
    for (const int64_t window : {0, 1, 5, 64, 100}) {
      std::mt19937 random(1);
      const Cache cache = RandomCache(random, {.size = 16, .type = type, .window = window}, 200);
      const Spans spans{{0, 1}, {1, 40}, {60, 70}, {128, 192}, {199, 200}, {200, 999}};
      for (int64_t p = 0; p < 200; ++p) {
        const int64_t first = window == 0 ? 0 : std::max<int64_t>(0, p - window + 1);
        const std::vector<double> mass =
            MassOf({&cache, p, std::vector<float>(16)}, {.heads = {0}, .spans = spans});
        for (size_t j = 0; j < spans.size(); ++j) {
          const int64_t inside =
              std::max<int64_t>(0, std::min(spans[j].end, p + 1) - std::max(spans[j].begin, first));
          EXPECT_NEAR(mass[j], static_cast<double>(inside) / static_cast<double>(p + 1 - first),
                      1e-13)
              << "window " << window << " position " << p << " span " << j;
        }
      }
    }
  }
}

TEST(AttentionMassTest, AgreesWithDoublePrecision) {
  std::mt19937 random(2);
  constexpr std::array<std::pair<int64_t, int64_t>, 5> kHeads{
      {{1, 1}, {3, 3}, {6, 2}, {8, 2}, {8, 1}}};
  constexpr std::array<int64_t, 4> kSizes{16, 33, 64, 128};
  constexpr std::array<int64_t, 5> kTokens{1, 2, 7, 70, 1};
  size_t number = 0;
  for (const int64_t length : {1, 2, 63, 64, 65, 129, 257}) {
    // Spans lie inside a page, across pages, on whole pages, side by side, and beyond all
    // positions.
    const std::array<Spans, 5> spans{{{{0, length}},
                                      {{3, 9}, {20, 21}, {62, 66}, {100, 200}},
                                      {{0, 64}, {64, 128}, {128, 192}},
                                      {{0, 1}, {1, 2}, {63, 64}, {64, 65}, {length - 1, length}},
                                      {{length, length + 5}, {1000, 2000}}}};
    for (const int64_t window : {0, 1, 5, 64, 100}) {
      for (const KvType type : kKvTypes) {
        const auto [heads, kv_heads] = kHeads[number % kHeads.size()];
        const Heads layer{.heads = heads,
                          .kv_heads = kv_heads,
                          .size = kSizes[number / 3 % kSizes.size()],
                          .type = type,
                          .window = window,
                          .soft_cap = number / 5 % 3 == 0 ? 2.0F : 0.0F};
        const Cache cache = RandomCache(random, layer, length);
        const int64_t tokens = std::min(length, kTokens[number / 2 % kTokens.size()]);
        const Queries queries = RandomQueries(random, cache, tokens);
        Spans of = spans[number % spans.size()];
        // Spans must be disjoint, which these are not in short texts.
        for (size_t j = of.size(); j-- > 1;) of[j].begin = std::max(of[j].begin, of[j - 1].end);
        for (PositionSpan& span : of) span.end = std::max(span.begin, span.end);
        const Question question{
            .heads = AllHeads(layer), .spans = of, .first_token = number % 4 == 3 ? tokens / 2 : 0};
        SCOPED_TRACE(testing::Message() << "length " << length << " tokens " << tokens << " window "
                                        << window << " cap " << layer.soft_cap << " heads " << heads
                                        << '/' << kv_heads << " of " << layer.size);
        const std::vector<double> mass = MassOf(queries, question);
        ASSERT_NO_FATAL_FAILURE(ExpectMass(queries, question, mass));
        EXPECT_EQ(MassOf(queries, question, 3), mass);
        ++number;
      }
    }
  }
}

// Each page has scores far above or far below those of the pages before it. Weights relative to the
// first page's would overflow or vanish.
TEST(AttentionMassTest, AgreesWherePagesAreFarApart) {
  std::mt19937 random(3);
  constexpr int64_t kLength = 330;
  for (const KvType type : kKvTypes) {
    for (const bool rising : {true, false}) {
      const Heads heads{.heads = 4, .kv_heads = 2, .size = 16, .type = type};
      Cache cache(heads, kLength);
      std::vector<float> k = RandomFloats(random, kLength * 32);
      for (size_t i = 0; i < k.size(); ++i) {
        const auto page = static_cast<int64_t>(i) / 32 / kKvPageTokens;
        k[i] *= static_cast<float>(1 + 40 * (rising ? page : kLength / kKvPageTokens - page));
      }
      cache.Write(Generic(), 0, k, k);
      const Queries queries = RandomQueries(random, cache, 5);
      const Question question{.heads = AllHeads(heads),
                              .spans = {{0, 64}, {64, 130}, {130, 300}, {300, 330}}};
      ASSERT_NO_FATAL_FAILURE(ExpectMass(queries, question, MassOf(queries, question)))
          << (rising ? "rising" : "falling");
    }
  }
}

TEST(AttentionMassTest, SpansThatCoverEverythingHoldTheNumberOfTokens) {
  std::mt19937 random(4);
  for (const KvType type : kKvTypes) {
    for (const int64_t window : {0, 90}) {
      // Scores reach some 1e4, whose exp alone would be infinite.
      for (const double deviation : {2.0, 2e4}) {
        const Heads heads{.heads = 4, .kv_heads = 2, .size = 32, .type = type, .window = window};
        const Cache cache = RandomCache(random, heads, 1100);
        const Queries queries = RandomQueries(random, cache, 21, deviation);
        const Question question{.heads = AllHeads(heads),
                                .spans = {{0, 10}, {10, 64}, {64, 700}, {700, 1100}}};
        const std::vector<double> mass = MassOf(queries, question);
        for (size_t h = 0; h < 4; ++h) {
          double total = 0;
          for (size_t j = 0; j < 4; ++j) total += mass[h * 4 + j];
          EXPECT_NEAR(total, 21, 21 * 2200 * 0x1p-52) << NameOf(type) << " head " << h;
        }
      }
    }
  }
}

TEST(AttentionMassTest, IsAddedForTheHeadsAskedAboutInTheirOrder) {
  std::mt19937 random(5);
  const Heads heads{.heads = 6, .kv_heads = 2, .size = 32, .type = KvType::kF16};
  const Cache cache = RandomCache(random, heads, 150);
  const Queries queries = RandomQueries(random, cache, 9);
  const Spans spans{{10, 80}, {90, 100}};
  const std::vector<double> all = MassOf(queries, {.heads = AllHeads(heads), .spans = spans});
  const std::vector<double> some = MassOf(queries, {.heads = {5, 0, 3, 5}, .spans = spans});
  const std::vector<double> more = MassOf(queries, {.heads = {5}, .spans = spans}, 1, 0.25);
  for (size_t j = 0; j < 2; ++j) {
    EXPECT_EQ(some[j], all[5 * 2 + j]);
    EXPECT_EQ(some[2 + j], all[j]);
    EXPECT_EQ(some[4 + j], all[3 * 2 + j]);
    EXPECT_EQ(some[6 + j], all[5 * 2 + j]);
    EXPECT_NEAR(more[j], 0.25 + all[5 * 2 + j], 1e-14);
  }
  EXPECT_TRUE(MassOf(queries, {.heads = {1}, .spans = {}}).empty());
  EXPECT_TRUE(MassOf(queries, {.heads = {}, .spans = spans}).empty());
}

TEST(AttentionMassTest, TokensBeforeTheFirstAreNotCounted) {
  std::mt19937 random(6);
  for (const KvType type : kKvTypes) {
    const Heads heads{.heads = 4, .kv_heads = 2, .size = 33, .type = type, .window = 70};
    const Cache cache = RandomCache(random, heads, 200);
    const Queries queries = RandomQueries(random, cache, 80);
    const Spans spans{{0, 100}, {110, 150}, {190, 200}};
    for (const int64_t first : {0, 1, 7, 8, 79}) {
      const Question question{.heads = {0, 3}, .spans = spans, .first_token = first};
      EXPECT_EQ(MassOf(queries, question),
                MassOf(queries.Slice(first, 80), {.heads = {0, 3}, .spans = spans}))
          << first;
    }
    for (const int64_t none : {80, 100}) {
      const Question question{.heads = {0, 3}, .spans = spans, .first_token = none};
      EXPECT_EQ(MassOf(queries, question, 1, 0.5), std::vector<double>(6, 0.5)) << none;
    }
  }
}

// Ranges give pages 1 to 4 and the pages from 5 on their own queries; page 0 keeps the sequence's.
TEST(AttentionMassTest, PagesAreLookedAtWithTheirOwnQueries) {
  std::mt19937 random(7);
  for (const KvType type : kKvTypes) {
    const Heads heads{.heads = 4, .kv_heads = 2, .size = 32, .type = type};
    const Cache cache = RandomCache(random, heads, 400);
    Queries queries = RandomQueries(random, cache, 5);
    const Question question{.heads = AllHeads(heads), .spans = {{0, 60}, {60, 300}, {390, 400}}};
    const std::vector<double> plain = MassOf(queries, question);
    for (const int64_t page : {1, 5}) {
      queries.ranges.emplace_back(page, RandomQueries(random, cache, 5).q);
    }
    const std::vector<double> mass = MassOf(queries, question);
    ASSERT_NO_FATAL_FAILURE(ExpectMass(queries, question, mass));
    EXPECT_NE(mass, plain);
    // Ranges with the same queries change nothing.
    for (auto& [page, q] : queries.ranges) q = queries.q;
    EXPECT_EQ(MassOf(queries, question), plain);
  }
}

// A memory with a main type of few bits has pages of both types.
TEST(AttentionMassTest, ReadsOlderPagesInTheirOwnType) {
  std::mt19937 random(8);
  for (const KvType type : {KvType::kQ8, KvType::kQ4}) {
    Heads heads{.heads = 8, .kv_heads = 2, .size = 48, .type = KvType::kBF16};
    const Cache local_cache = RandomCache(random, heads, 1300);
    heads.type = type;
    // The main pages hold other tokens, so that a mistake shows.
    const Cache main_cache = RandomCache(random, heads, 1300);
    Queries queries = RandomQueries(random, local_cache, 5);
    queries.main_cache = &main_cache;
    queries.local_begin = kKvPartPages;
    const Question question{.heads = {0, 1, 4, 7},
                            .spans = {{0, 64}, {64, 128}, {1000, 1024}, {1024, 1100}}};
    ASSERT_NO_FATAL_FAILURE(ExpectMass(queries, question, MassOf(queries, question)));
  }
}

}  // namespace
}  // namespace tome
