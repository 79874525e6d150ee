#include "tome/retrieval/bm25.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace tome {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::IsEmpty;

// What RankByBm25 is given, and owns it.
struct Searched {
  std::vector<QueryTerm> query;
  std::vector<PassageRange> ranges;
  std::vector<uint16_t> lengths;
  std::vector<std::vector<Posting>> postings;

  LexicalResult Rank(size_t limit) const {
    return RankByBm25({.query = query, .ranges = ranges, .lengths = lengths, .postings = postings},
                      limit);
  }
};

// Computes the formulas of the header passage by passage, each from the beginning.
class SlowBm25 {
 public:
  explicit SlowBm25(const Searched& searched) : searched_(searched) {
    size_t slot = 0;
    for (const PassageRange& range : searched.ranges) {
      for (PassageId id = range.first; id <= range.last; ++id) {
        lengths_[id] = searched.lengths[slot++];
      }
    }
  }

  double Idf(size_t term) const {
    const auto n = static_cast<double>(searched_.postings[term].size());
    return std::log(1 + (Count() - n + 0.5) / (n + 0.5));
  }

  // Empty where a required term is missing or no term is there.
  std::optional<double> Score(PassageId id) const {
    double mean = 0;
    for (const auto& [other, length] : lengths_) mean += length / Count();
    double score = 0;
    bool found = false;
    for (size_t t = 0; t < searched_.query.size(); ++t) {
      double f = 0;
      for (const Posting& posting : searched_.postings[t]) {
        if (posting.id == id) f += posting.in_text + 0.5 * posting.in_headings;
      }
      if (f == 0 && searched_.query[t].required) return std::nullopt;
      if (f == 0) continue;
      found = true;
      const double norm = 1 - 0.4 + 0.4 * lengths_.at(id) / mean;
      score += searched_.query[t].weight * Idf(t) * f * 1.9 / (f + 0.9 * norm);
    }
    return found ? std::optional(score) : std::nullopt;
  }

  std::set<PassageId> Ids() const {
    std::set<PassageId> ids;
    for (const auto& [id, length] : lengths_) ids.insert(id);
    return ids;
  }

 private:
  double Count() const {
    double count = 0;
    for (const auto& [id, length] : lengths_) count += length > 0 ? 1 : 0;
    return count;
  }

  const Searched& searched_;
  std::map<PassageId, double> lengths_;
};

Searched RandomSearch(std::mt19937& random) {
  Searched searched;
  PassageId next = 1;
  for (uint64_t r = 0; r < 1 + random() % 3; ++r) {
    next += static_cast<PassageId>(random() % 4);
    const auto last = next + static_cast<PassageId>(random() % 10);
    searched.ranges.push_back({.first = next, .last = last});
    next = last + 1;
  }
  searched.query.resize(1 + random() % 4);
  searched.postings.resize(searched.query.size());
  for (QueryTerm& term : searched.query) {
    term.weight = 1 + static_cast<double>(random() % 3);
    term.required = random() % 5 == 0;
  }
  for (const PassageRange& range : searched.ranges) {
    for (PassageId id = range.first; id <= range.last; ++id) {
      const bool is_there = id == range.first || random() % 6 != 0;
      searched.lengths.push_back(static_cast<uint16_t>(is_there ? 1 + random() % 300 : 0));
      for (std::vector<Posting>& postings : searched.postings) {
        if (!is_there || random() % 2 == 0) continue;
        postings.push_back({.id = id,
                            .in_text = 1 + static_cast<int32_t>(random() % 5),
                            .in_headings = static_cast<int32_t>(random() % 3)});
      }
    }
  }
  return searched;
}

TEST(Bm25Test, ScoresAsTheFormulaDoesByHand) {
  // N = 2, n = 1, f = 1, length 2 and mean length 3.
  const Searched searched{
      .query = {{.stream = {}}},
      .ranges = {{.first = 5, .last = 6}},
      .lengths = {2, 4},
      .postings = {{{.id = 5, .in_text = 1}}},
  };
  const LexicalResult result = searched.Rank(10);
  const double idf = std::log(2.0);
  EXPECT_THAT(result.idf, ElementsAre(DoubleEq(idf)));
  ASSERT_EQ(result.passages.size(), 1U);
  EXPECT_EQ(result.passages[0].id, 5);
  EXPECT_DOUBLE_EQ(result.passages[0].score, idf * 1.9 / (1 + 0.9 * (0.6 + 0.4 * 2 / 3)));
}

TEST(Bm25Test, AgreesWithASlowComputationOnRandomPostings) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const Searched searched = RandomSearch(random);
    const SlowBm25 slow(searched);
    const LexicalResult result = searched.Rank(1000);
    ASSERT_EQ(result.idf.size(), searched.query.size());
    for (size_t t = 0; t < result.idf.size(); ++t) EXPECT_NEAR(result.idf[t], slow.Idf(t), 1e-12);
    std::set<PassageId> expected = slow.Ids();
    std::erase_if(expected, [&](PassageId id) { return !slow.Score(id).has_value(); });
    ASSERT_EQ(result.passages.size(), expected.size());
    for (size_t i = 0; i < result.passages.size(); ++i) {
      const ScoredPassage& passage = result.passages[i];
      EXPECT_EQ(expected.erase(passage.id), 1U) << passage.id;
      EXPECT_NEAR(passage.score, slow.Score(passage.id).value(), 1e-12);
      if (i == 0) continue;
      const ScoredPassage& before = result.passages[i - 1];
      EXPECT_TRUE(before.score > passage.score ||
                  (before.score == passage.score && before.id < passage.id));
    }
    const size_t limit = 1 + random() % 5;
    const LexicalResult few = searched.Rank(limit);
    ASSERT_EQ(few.passages.size(), std::min(limit, result.passages.size()));
    for (size_t i = 0; i < few.passages.size(); ++i) {
      EXPECT_EQ(few.passages[i].id, result.passages[i].id);
    }
  }
}

TEST(Bm25Test, NothingToSearchGivesNothing) {
  Searched searched{.query = {{.stream = {}}},
                    .ranges = {{.first = 1, .last = 1}},
                    .lengths = {3},
                    .postings = {{{.id = 1, .in_text = 1}}}};
  EXPECT_EQ(searched.Rank(9).passages.size(), 1U);
  EXPECT_THAT(searched.Rank(0).passages, IsEmpty());
  searched.ranges = {{.first = 2, .last = 1}};
  searched.lengths.clear();
  searched.postings = {{}};
  EXPECT_THAT(searched.Rank(9).passages, IsEmpty());
  EXPECT_THAT(searched.Rank(9).idf, IsEmpty());
  EXPECT_THAT(Searched{}.Rank(9).passages, IsEmpty());
}

TEST(Bm25DeathTest, APostingOutsideTheRangesIsAProgrammingError) {
  const Searched searched{.query = {{.stream = {}}},
                          .ranges = {{.first = 1, .last = 2}, {.first = 5, .last = 5}},
                          .lengths = {1, 1, 1},
                          .postings = {{{.id = 4, .in_text = 1}}}};
  EXPECT_DEATH(searched.Rank(1), "posting.id");
}

}  // namespace
}  // namespace tome
