#include "tome/kernels/page_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/attention_inputs.h"

namespace tome {
namespace {

// Key summaries of a cache's full pages, as a memory keeps them.
class Summaries {
 public:
  Summaries(const KernelSet& kernels, const Cache& cache, int threads = 1) {
    const Heads& heads = cache.heads();
    const int64_t pages = cache.length() / kKvPageTokens;
    std::vector<std::byte*> parts;
    for (int64_t page = 0; page < pages; page += kKvPartPages) {
      storage_.emplace_back(Count(KeySummaryBytes(heads.kv_heads, heads.size)));
    }
    for (auto& part : storage_) parts.push_back(part.data());
    view_.assign(parts.begin(), parts.end());
    ThreadPool pool(threads);
    kernels.summarize_keys({.keys = cache.view().keys,
                            .summaries = parts,
                            .type = heads.type,
                            .kv_heads = heads.kv_heads,
                            .head_size = heads.size,
                            .page_begin = 0,
                            .page_end = pages},
                           pool);
  }
  std::span<const std::byte* const> view() const { return view_; }

 private:
  std::vector<std::vector<std::byte>> storage_;
  std::vector<const std::byte*> view_;
};

PageChoice Choose(const KernelSet& kernels, const Queries& queries, double mass, int threads = 1) {
  const Heads& heads = queries.cache->heads();
  const Summaries summaries(kernels, *queries.cache, threads);
  ThreadPool pool(threads);
  return ChoosePages({.q = queries.q.data(),
                      .ranges = {},
                      .summaries = summaries.view(),
                      .tokens = queries.tokens(),
                      .first_position = queries.first,
                      .heads = heads.heads,
                      .kv_heads = heads.kv_heads,
                      .head_size = heads.size,
                      .scale = ScaleOf(heads),
                      .soft_cap = heads.soft_cap,
                      .mass = mass},
                     {kernels, pool});
}

// The estimate of page_choice.h, in double, from what the page holds; a and b lie in BF16 with a
// relative error of 2^-9, and `bound` is what the score errs by.
struct Estimate {
  double score = 0;
  double bound = 0;
};
Estimate EstimateOf(const Cache& cache, const float* q, int64_t kv_head, int64_t page) {
  const Heads& heads = cache.heads();
  double score = 0;
  double magnitude = 0;
  double largest = 0;
  for (int64_t c = 0; c < heads.size; ++c) {
    double sum = 0;
    double least = INFINITY;
    double most = -INFINITY;
    for (int64_t s = page * kKvPageTokens; s < (page + 1) * kKvPageTokens; ++s) {
      const double k = cache.Read(true, s, kv_head, c);
      sum += k;
      least = std::min(least, k);
      most = std::max(most, k);
    }
    const double a = (sum / kKvPageTokens + (least + most) / 2) / 2;
    const double b = (most - least) / 4;
    largest = std::max({largest, std::abs(least), std::abs(most)});
    score += q[c] * a + std::abs(q[c]) * b;
    magnitude += std::abs(q[c]) * (std::abs(a) + b);
  }
  const double scale = ScaleOf(heads);
  const double capped = heads.soft_cap > 0
                            ? heads.soft_cap * std::tanh(scale * score / heads.soft_cap)
                            : scale * score;
  return {capped, scale * magnitude * 0x1p-8 +
                      kRoundoff * 100 * (largest + 1) * scale * static_cast<double>(heads.size)};
}

class PageChoiceTest : public KernelTest {
 protected:
  Cache RandomCache(std::mt19937& random, const Heads& heads, int64_t length) const {
    Cache cache(heads, length);
    cache.WriteRandom(kernels(), random);
    return cache;
  }
};

TEST_P(PageChoiceTest, ScoresAreTheDocumentedEstimate) {
  std::mt19937 random(1);
  for (const KvType type : kKvTypes) {
    for (const int64_t size : {16, 33, 64}) {
      const Cache cache = RandomCache(random,
                                      {.heads = 6,
                                       .kv_heads = 2,
                                       .size = size,
                                       .type = type,
                                       .soft_cap = size == 33 ? 3.0F : 0.0F},
                                      64 * 18);
      const Summaries summaries(kernels(), cache, 2);
      const std::vector<float> q = RandomFloats(random, 6 * size);
      std::vector<float> scores(6 * Count(ScoredPages(18)), kNaN);
      for (const int64_t kv_head : {0, 1}) {
        kernels().score_pages({.q = q.data(),
                               .summaries = summaries.view(),
                               .scores = scores.data(),
                               .queries = 6,
                               .pages = 18,
                               .kv_head = kv_head,
                               .head_size = size,
                               .scale = ScaleOf(cache.heads()),
                               .soft_cap = cache.heads().soft_cap});
        for (int64_t i = 0; i < 6; ++i) {
          for (int64_t page = 0; page < 18; ++page) {
            const Estimate expected = EstimateOf(cache, q.data() + i * size, kv_head, page);
            ASSERT_NEAR(scores[Count(i * ScoredPages(18) + page)], expected.score, expected.bound)
                << NameOf(type) << " query " << i << " page " << page;
          }
        }
      }
    }
  }
}

void ExpectKept(const Queries& queries, const ChosenPages& chosen) {
  const AttentionSequence sequence{
      .kv = {}, .first_position = queries.first, .chosen = &chosen, .ranges = {}};
  for (int64_t t = 0; t < queries.tokens(); ++t) {
    const int64_t position = queries.first + t;
    for (int64_t head = 0; head < queries.cache->heads().kv_heads; ++head) {
      const auto pages = ChosenFor(sequence, position, head, queries.cache->heads().kv_heads);
      ASSERT_TRUE(std::is_sorted(pages.begin(), pages.end()));
      const auto has = [&](int64_t page) {
        return std::binary_search(pages.begin(), pages.end(), page);
      };
      const int64_t own = position / kKvPageTokens;
      for (int64_t page = 0; page < std::min(kSinkPages, own + 1); ++page) {
        ASSERT_TRUE(has(page)) << "sink " << page;
      }
      for (int64_t page = std::max<int64_t>(0, own - kRecentPages); page <= own; ++page) {
        ASSERT_TRUE(has(page)) << "page " << page << " of position " << position;
      }
    }
  }
}

TEST_P(PageChoiceTest, SinksAndRecentPagesAreAlwaysAttendedAndALargerMassAttendsASuperset) {
  std::mt19937 random(2);
  const Cache cache =
      RandomCache(random, {.heads = 4, .kv_heads = 2, .size = 16, .type = KvType::kF16}, 2000);
  for (const int64_t tokens : {1, 5, 64, 65, 300, 2000}) {
    if (IsGeneric(kernels()) && tokens > 65) continue;  // takes long
    // Of large deviation, so that pages differ.
    const Queries queries = RandomQueries(random, cache, tokens, 8);
    std::vector<std::vector<int32_t>> before;
    for (const double mass : {1e-9, 0.5, 0.9, 0.99, 1.0}) {
      const PageChoice choice = Choose(kernels(), queries, mass);
      EXPECT_EQ(choice.pages.run_tokens, tokens <= kChoiceSingleTokens ? 1 : kChoiceBlockTokens);
      ASSERT_NO_FATAL_FAILURE(ExpectKept(queries, choice.pages));
      EXPECT_GE(choice.share.mass(), mass - 1e-9) << tokens;
      EXPECT_LE(choice.share.density(), 1);
      for (size_t i = 0; i < before.size(); ++i) {
        const auto& list = choice.pages.lists[i];
        EXPECT_TRUE(std::includes(list.begin(), list.end(), before[i].begin(), before[i].end()));
      }
      before = choice.pages.lists;
      if (mass == 1) {
        EXPECT_EQ(choice.share.density(), 1) << "a mass of 1 attends everything";
      }
    }
  }
}

// The chosen pages hold the mass by the documented scores, up to the rounding of these.
TEST_P(PageChoiceTest, EachQueryReachesTheMassItEstimates) {
  std::mt19937 random(3);
  const Cache cache =
      RandomCache(random, {.heads = 2, .kv_heads = 1, .size = 32, .type = KvType::kF32}, 4000);
  const Queries queries = RandomQueries(random, cache, 1, 6);
  for (const double mass : {0.5, 0.9, 0.99}) {
    const PageChoice choice = Choose(kernels(), queries, mass);
    const std::vector<int32_t>& pages = choice.pages.lists[0];
    EXPECT_LT(choice.share.density(), 1);
    for (int64_t head = 0; head < 2; ++head) {
      double inside = 0;
      double all = 0;
      for (int64_t page = 0; page < queries.first / kKvPageTokens; ++page) {
        const double weight =
            std::exp(EstimateOf(cache, queries.q.data() + head * 32, 0, page).score);
        all += weight;
        if (std::binary_search(pages.begin(), pages.end(), page)) inside += weight;
      }
      EXPECT_GE(inside / all, mass - 0.02) << head;
    }
  }
}

// One key among 8,000 that a query matches.
TEST_P(PageChoiceTest, FindsANeedle) {
  std::mt19937 random(4);
  constexpr int64_t kSize = 64;
  for (const KvType type : {KvType::kBF16, KvType::kQ8}) {
    for (const int64_t needle : {64, 1000, 4095, 6000}) {
      const Heads heads{.size = kSize, .type = type};
      std::vector<float> k = RandomFloats(random, 8000 * kSize);
      const std::vector<float> v = RandomFloats(random, 8000 * kSize);
      const std::vector<float> direction = RandomFloats(random, kSize);
      for (int64_t c = 0; c < kSize; ++c) {
        k[Count(needle * kSize + c)] = 4 * direction[Count(c)];
      }
      Cache cache(heads, 8000);
      cache.Write(kernels(), 0, k, v);
      // Written one by one, and read in a block whose queries ask for it together.
      for (const int64_t tokens : {1, 128}) {
        Queries queries = RandomQueries(random, cache, tokens, 0.3);
        for (int64_t i = 0; i < tokens * kSize; ++i) {
          queries.q[Count(i)] += 1.5F * direction[Count(i % kSize)];
        }
        const PageChoice choice = Choose(kernels(), queries, 0.9);
        for (const auto& list : choice.pages.lists) {
          EXPECT_TRUE(std::binary_search(list.begin(), list.end(), needle / kKvPageTokens))
              << NameOf(type) << " needle at " << needle << " of " << tokens << " tokens";
        }
        EXPECT_LT(choice.share.density(), 0.5) << tokens;
      }
    }
  }
}

TEST_P(PageChoiceTest, DependsNeitherOnThreadsNorOnThePass) {
  std::mt19937 random(5);
  const Cache cache =
      RandomCache(random, {.heads = 4, .kv_heads = 2, .size = 16, .type = KvType::kF16}, 2048);
  const Queries queries = RandomQueries(random, cache, 384, 8);  // from a block's beginning on
  const ChosenPages all = Choose(kernels(), queries, 0.8).pages;
  EXPECT_EQ(Choose(kernels(), queries, 0.8, 3).pages.lists, all.lists);
  // Blocks that are whole in both passes.
  const ChosenPages tail = Choose(kernels(), queries.Slice(128, 384), 0.8).pages;
  EXPECT_TRUE(std::equal(tail.lists.begin(), tail.lists.end(), all.lists.begin() + 2));
  // Single tokens, whatever comes with them.
  const ChosenPages few = Choose(kernels(), queries.Slice(100, 140), 0.8).pages;
  const ChosenPages one = Choose(kernels(), queries.Slice(117, 118), 0.8).pages;
  EXPECT_TRUE(std::equal(one.lists.begin(), one.lists.end(), few.lists.begin() + 17 * 2));
}

TEST_P(PageChoiceTest, PagesOfWhatIsNoNumberAreAttended) {
  std::mt19937 random(6);
  const Heads heads{.size = 16, .type = KvType::kF32};
  std::vector<float> k = RandomFloats(random, 2000 * 16);
  k[300 * 16 + 3] = kNaN;
  k[600 * 16 + 5] = kInf;
  Cache cache(heads, 2000);
  cache.Write(kernels(), 0, k, k);
  const Queries queries = RandomQueries(random, cache, 1, 8);
  const PageChoice choice = Choose(kernels(), queries, 0.1);
  const auto& list = choice.pages.lists[0];
  EXPECT_TRUE(std::binary_search(list.begin(), list.end(), 600 / 64));
}

INSTANTIATE_TEST_SUITE_P(Sets, PageChoiceTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
