#include "tome/kernels/page_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "tests/kernels/attention_inputs.h"

namespace tome {
namespace {

// Summaries holds key summaries of a cache's full pages, as a memory keeps them.
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
    pages_.assign(parts.begin(), parts.end());
    ThreadPool pool(threads);
    kernels.summarize_keys({.keys = cache.view().keys,
                            .summaries = parts,
                            .type = heads.type,
                            .kv_heads = heads.kv_heads,
                            .head_size = heads.size,
                            .page_begin = 0,
                            .page_end = pages},
                           pool);
    for (int64_t part = 0; part < pages / kKvPartPages; ++part) {
      if (part % kGroupParts == 0) groups_.emplace_back(storage_[0].size());
      SummarizePart(pages_[Count(part)], heads.kv_heads, heads.size, part, groups_.back().data());
    }
    for (const auto& group : groups_) parts_.push_back(group.data());
  }
  std::span<const std::byte* const> pages() const { return pages_; }
  std::span<const std::byte* const> parts() const { return parts_; }

 private:
  std::vector<std::vector<std::byte>> storage_;
  std::vector<std::vector<std::byte>> groups_;
  std::vector<const std::byte*> pages_;
  std::vector<const std::byte*> parts_;
};

struct ChoiceOptions {
  double mass = 0.9;
  int threads = 1;
  bool two_levels = true;
  std::span<const std::vector<int32_t>> preselected = {};
};

PageChoice Choose(const KernelSet& kernels, const Queries& queries, const ChoiceOptions& options) {
  const Heads& heads = queries.cache->heads();
  const Summaries summaries(kernels, *queries.cache, options.threads);
  ThreadPool pool(options.threads);
  std::vector<QueryRange> ranges;
  for (const auto& [page, q] : queries.ranges) ranges.push_back({page, q.data()});
  return ChoosePages({.q = queries.q.data(),
                      .ranges = ranges,
                      .summaries = summaries.pages(),
                      .part_summaries = options.two_levels ? summaries.parts()
                                                           : std::span<const std::byte* const>(),
                      .preselected = options.preselected,
                      .tokens = queries.tokens(),
                      .first_position = queries.first,
                      .heads = heads.heads,
                      .kv_heads = heads.kv_heads,
                      .head_size = heads.size,
                      .scale = ScaleOf(heads),
                      .soft_cap = heads.soft_cap,
                      .mass = options.mass},
                     {kernels, pool});
}

PageChoice Choose(const KernelSet& kernels, const Queries& queries, double mass, int threads = 1) {
  return Choose(kernels, queries, {.mass = mass, .threads = threads});
}

// Estimate follows page_choice.h in double, from the contents of the page. The summaries a and b
// are stored in BF16 with a relative error of 2^-9; `bound` is the resulting error of the score.
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
                               .summaries = summaries.pages(),
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
      for (int64_t page = 0; page < std::min(kKvSinkPages, own + 1); ++page) {
        ASSERT_TRUE(has(page)) << "sink " << page;
      }
      for (int64_t page = std::max<int64_t>(0, own - kRecentPages); page <= own; ++page) {
        ASSERT_TRUE(has(page)) << "page " << page << " of position " << position;
      }
    }
  }
}

TEST_P(PageChoiceTest, SinksAndRecentPagesAreAlwaysAttendedAndAMassOfOneAttendsAll) {
  std::mt19937 random(2);
  const Cache cache =
      RandomCache(random, {.heads = 4, .kv_heads = 2, .size = 16, .type = KvType::kF16}, 2000);
  for (const int64_t tokens : {1, 5, 64, 65, 300, 2000}) {
    if (IsGeneric(kernels()) && tokens > 65) continue;  // takes long
    // A large deviation makes pages differ.
    const Queries queries = RandomQueries(random, cache, tokens, 8);
    double before = 0;
    for (const double mass : {1e-9, 0.5, 0.9, 0.99, 1.0}) {
      const PageChoice choice = Choose(kernels(), queries, mass);
      EXPECT_EQ(choice.pages.run_tokens, tokens <= kChoiceSingleTokens ? 1 : kChoiceBlockTokens);
      ASSERT_NO_FATAL_FAILURE(ExpectKept(queries, choice.pages));
      EXPECT_GE(choice.share.mass(), mass - 1e-9) << tokens;
      EXPECT_LE(choice.share.density(), 1);
      EXPECT_GE(choice.share.density(), before) << "by a larger mass";
      before = choice.share.density();
      if (mass == 1) {
        EXPECT_EQ(choice.share.density(), 1) << "a mass of 1 attends everything";
      }
    }
  }
}

// The chosen pages hold the mass by the documented scores, up to the rounding of the scores.
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

// A query matches one key among 8,000.
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
      // The queries are one token alone, or a block of tokens that ask for the key together.
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
  // These blocks are whole in both passes.
  const ChosenPages tail = Choose(kernels(), queries.Slice(128, 384), 0.8).pages;
  EXPECT_TRUE(std::equal(tail.lists.begin(), tail.lists.end(), all.lists.begin() + 2));
  // A single token's choice is the same whichever tokens are in its pass.
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

// --- Two levels --------------------------------------------------------------------------------

// Subjects is a text long enough that single tokens choose in two levels. It has subjects of
// `subject` tokens, and the keys of each subject lie around a direction of its own.
struct Subjects {
  Subjects(const KernelSet& kernels, std::mt19937& random, const Heads& heads, int64_t tokens,
           int64_t subject)
      : cache(heads, tokens), width(heads.kv_heads * heads.size) {
    directions = RandomFloats(random, (tokens + subject - 1) / subject * width, 1.5);
    std::vector<float> k = RandomFloats(random, tokens * width, 0.3);
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t x = 0; x < width; ++x) {
        k[Count(t * width + x)] += directions[Count(t / subject * width + x)];
      }
    }
    cache.Write(kernels, 0, k, RandomFloats(random, tokens * width));
  }
  // Returns the queries of one token about a subject.
  Queries About(int64_t subject, float strength) const {
    const Heads& heads = cache.heads();
    Queries queries{&cache, cache.length() - 1, {}};
    for (int64_t head = 0; head < heads.heads; ++head) {
      const int64_t kv_head = head / (heads.heads / heads.kv_heads);
      for (int64_t c = 0; c < heads.size; ++c) {
        queries.q.push_back(strength *
                            directions[Count(subject * width + kv_head * heads.size + c)]);
      }
    }
    return queries;
  }

  Cache cache;
  int64_t width;
  std::vector<float> directions;
};

constexpr int64_t kLongText = 44 * kKvPartTokens + 100;
const Heads kLongHeads{.heads = 4, .kv_heads = 2, .size = 32, .type = KvType::kBF16};

// Returns the list of all pages before a position, once for each key head.
std::vector<std::vector<int32_t>> AllPagesBefore(int64_t position, int64_t kv_heads) {
  std::vector<int32_t> pages(Count(position / kKvPageTokens));
  std::iota(pages.begin(), pages.end(), 0);
  return std::vector<std::vector<int32_t>>(Count(kv_heads), pages);
}

TEST_P(PageChoiceTest, APartsScoreIsTheMiddleOfTheMeanAndABoundOfItsPagesScores) {
  std::mt19937 random(7);
  const Cache cache = RandomCache(random, kLongHeads, 20 * kKvPartTokens);
  const Summaries summaries(kernels(), cache);
  const int64_t size = kLongHeads.size;
  const std::vector<float> q = RandomFloats(random, size);
  const auto score = [&](std::span<const std::byte* const> of, int64_t count) {
    std::vector<float> scores(Count(ScoredPages(count)));
    kernels().score_pages({.q = q.data(),
                           .summaries = of,
                           .scores = scores.data(),
                           .queries = 1,
                           .pages = count,
                           .kv_head = 1,
                           .head_size = size,
                           .scale = 1});
    return scores;
  };
  const std::vector<float> pages = score(summaries.pages(), 20 * kKvPartPages);
  const std::vector<float> parts = score(summaries.parts(), 20);
  const auto read = [&](int64_t page, int64_t c, int64_t which) {
    uint16_t half = 0;
    std::memcpy(&half,
                summaries.pages()[Count(page / kKvPartPages)] +
                    KeySummaryElement(size, 1, c, which, page) * 2,
                2);
    return static_cast<double>(FloatFromBF16(half));
  };
  for (int64_t part = 0; part < 20; ++part) {
    double mean = 0;
    double bound = 0;
    double magnitude = 0;
    for (int64_t i = 0; i < kKvPartPages; ++i) {
      mean += pages[Count(part * kKvPartPages + i)] / double{kKvPartPages};
    }
    for (int64_t c = 0; c < size; ++c) {
      // `most` is the largest amount that the channel adds to the score of a page.
      double most = -INFINITY;
      for (int64_t i = 0; i < kKvPartPages; ++i) {
        const int64_t page = part * kKvPartPages + i;
        const double a = read(page, c, 0);
        const double b = read(page, c, 1);
        most = std::max(most, q[Count(c)] * a + std::abs(q[Count(c)]) * b);
        magnitude = std::max(magnitude, std::abs(a) + b);
      }
      bound += most;
    }
    for (int64_t i = 0; i < kKvPartPages; ++i) {
      EXPECT_LE(pages[Count(part * kKvPartPages + i)], bound + 1e-4);
    }
    double length = 0;
    for (int64_t c = 0; c < size; ++c) length += std::abs(q[Count(c)]);
    EXPECT_NEAR(parts[Count(part)], (mean + bound) / 2, length * magnitude * 0x1p-7) << part;
  }
}

TEST_P(PageChoiceTest, TwoLevelsFindWhatIsAskedAbout) {
  std::mt19937 random(8);
  for (const KvType type : {KvType::kBF16, KvType::kQ8}) {
    Heads heads = kLongHeads;
    heads.type = type;
    const Subjects text(kernels(), random, heads, kLongText, 512);
    for (const int64_t subject : {3, 40, 71}) {
      const Queries queries = text.About(subject, 1);
      const PageChoice all = Choose(kernels(), queries, {.two_levels = false});
      const PageChoice found = Choose(kernels(), queries, ChoiceOptions{});
      EXPECT_EQ(all.share.scored(), 1);
      EXPECT_LT(found.share.scored(), 0.6);
      EXPECT_GE(found.share.mass(), 0.9 - 1e-9);
      EXPECT_LT(found.share.density(), 0.15);
      ASSERT_NO_FATAL_FAILURE(ExpectKept(queries, found.pages));
      for (const auto& list : found.pages.lists) {
        for (int64_t page = subject * 8; page < subject * 8 + 8; ++page) {
          EXPECT_TRUE(std::binary_search(list.begin(), list.end(), page))
              << NameOf(type) << " page " << page << " of subject " << subject;
        }
      }
    }
  }
}

TEST_P(PageChoiceTest, TwoLevelsFindANeedle) {
  std::mt19937 random(9);
  const int64_t size = kLongHeads.size;
  std::vector<float> k = RandomFloats(random, kLongText * 2 * size);
  const std::vector<float> direction = RandomFloats(random, size);
  constexpr int64_t kNeedle = 21 * kKvPartTokens + 333;
  for (int64_t x = 0; x < 2 * size; ++x) {
    k[Count(kNeedle * 2 * size + x)] = 4 * direction[Count(x % size)];
  }
  Cache cache(kLongHeads, kLongText);
  cache.Write(kernels(), 0, k, k);
  Queries queries = RandomQueries(random, cache, 1, 0.3);
  for (size_t i = 0; i < queries.q.size(); ++i) queries.q[i] += 3 * direction[i % Count(size)];
  for (const auto& list : Choose(kernels(), queries, ChoiceOptions{}).pages.lists) {
    EXPECT_TRUE(std::binary_search(list.begin(), list.end(), kNeedle / kKvPageTokens));
  }
}

// With every part preselected, two levels choose what one level does, also where pages have other
// queries. A preselected part is opened even for a query that would not have looked there.
TEST_P(PageChoiceTest, PreselectedPartsAreOpen) {
  std::mt19937 random(10);
  const Subjects text(kernels(), random, kLongHeads, kLongText, 512);
  Queries queries = text.About(5, 0.6F);
  const Queries middle = text.About(30, 0.6F);
  const auto all = AllPagesBefore(queries.first, 2);
  for (const bool ranges : {false, true}) {
    if (ranges) queries.ranges = {{24 * kKvPartPages + 3, middle.q}, {400, text.About(55, 1).q}};
    const PageChoice one = Choose(kernels(), queries, {.two_levels = false});
    const PageChoice two = Choose(kernels(), queries, {.preselected = all});
    EXPECT_EQ(two.pages.lists, one.pages.lists);
    EXPECT_EQ(two.share.mass(), one.share.mass());
  }
  queries = text.About(5, 2);
  const std::vector<std::vector<int32_t>> question(2, {21 * kKvPartPages + 5, 700000});
  EXPECT_EQ(Choose(kernels(), queries, {.preselected = question}).share.scored_pages -
                Choose(kernels(), queries, ChoiceOptions{}).share.scored_pages,
            2 * kKvPartPages)
      << "a part for each key head; pages behind the token are none";
}

TEST_P(PageChoiceTest, TwoLevelsDependNeitherOnThreadsNorOnThePass) {
  std::mt19937 random(11);
  const Cache cache = RandomCache(random, kLongHeads, kLongText);
  const Queries queries = RandomQueries(random, cache, 6, 4);
  const ChosenPages all = Choose(kernels(), queries, {.mass = 0.5}).pages;
  EXPECT_EQ(Choose(kernels(), queries, {.mass = 0.5, .threads = 3}).pages.lists, all.lists);
  const ChosenPages one = Choose(kernels(), queries.Slice(3, 4), {.mass = 0.5}).pages;
  EXPECT_TRUE(std::equal(one.lists.begin(), one.lists.end(), all.lists.begin() + 3 * 2));
  // For a block, all pages are scored, even where the pass has only one token of the block. Here
  // that is the block's first token, the last of the pass.
  const Queries block = RandomQueries(random, cache, 200, 4).Slice(1, 101);
  ASSERT_EQ((block.first + 99) % kChoiceBlockTokens, 0);
  EXPECT_EQ(Choose(kernels(), block, {.mass = 0.5}).share.scored(), 1);
}

TEST_P(PageChoiceTest, APartWithWhatIsNoNumberIsOpened) {
  std::mt19937 random(12);
  std::vector<float> k = RandomFloats(random, kLongText * 16);
  k[(10 * kKvPartTokens + 70) * 16 + 3] = kNaN;
  Cache cache({.size = 16, .type = KvType::kF32}, kLongText);
  cache.Write(kernels(), 0, k, k);
  const auto list =
      Choose(kernels(), RandomQueries(random, cache, 1, 8), {.mass = 0.1}).pages.lists[0];
  EXPECT_TRUE(std::binary_search(list.begin(), list.end(), 10 * kKvPartPages + 1));
}

// The heads of a key head attend the same pages, at a cost that density_alone() shows.
TEST_P(PageChoiceTest, SharesCountWhatEachHeadWouldAttendAlone) {
  std::mt19937 random(13);
  const Subjects text(kernels(), random, kLongHeads, 16 * kKvPartTokens, 512);
  Queries same = text.About(7, 1);
  const AttentionShare agreed = Choose(kernels(), same, ChoiceOptions{}).share;
  EXPECT_DOUBLE_EQ(agreed.density_alone(), agreed.density()) << "heads that ask alike";
  const Queries other = text.About(20, 1);
  std::copy_n(other.q.begin(), kLongHeads.size, same.q.begin());  // the first head's
  const AttentionShare divided = Choose(kernels(), same, ChoiceOptions{}).share;
  EXPECT_LT(divided.density_alone(), divided.density());
  EXPECT_GE(divided.density_alone(), divided.density() / 2);
}

INSTANTIATE_TEST_SUITE_P(Sets, PageChoiceTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
