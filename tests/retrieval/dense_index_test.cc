#include "tome/retrieval/dense_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <stop_token>

#include "tests/expect_error.h"
#include "tome/retrieval/quantized_vectors.h"

namespace tome {
namespace {

using testing::HasSubstr;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<float> RandomVectors(std::mt19937& random, int64_t rows, int64_t width) {
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(rows * width));
  for (float& value : values) value = normal(random);
  return values;
}

// Vectors around random centres, as those of texts lie around subjects.
std::vector<float> ClusteredVectors(std::mt19937& random, int64_t rows, int64_t width,
                                    int64_t centers) {
  const std::vector<float> middle = RandomVectors(random, centers, width);
  std::vector<float> values = RandomVectors(random, rows, width);
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t center = static_cast<int64_t>(random() % static_cast<uint64_t>(centers));
    for (int64_t i = 0; i < width; ++i) {
      float& value = values[static_cast<size_t>(row * width + i)];
      value = middle[static_cast<size_t>(center * width + i)] + 0.7F * value;
    }
  }
  return values;
}

// Quantized vectors with their ids, and a search of them in double precision.
struct Stored {
  Stored(const std::vector<float>& vectors, int64_t vector_width, int64_t first_id = 0)
      : width(vector_width),
        values(vectors.size()),
        scales(vectors.size() / static_cast<size_t>(vector_width)),
        ids(scales.size()) {
    QuantizeVectors(vectors, width, values, scales);
    std::iota(ids.begin(), ids.end(), first_id);
  }

  VectorBlock block() const { return {ids, values, scales}; }
  VectorBlock block(size_t begin, size_t end) const {
    const auto columns = static_cast<size_t>(width);
    return {std::span(ids).subspan(begin, end - begin),
            std::span(values).subspan(begin * columns, (end - begin) * columns),
            std::span(scales).subspan(begin, end - begin)};
  }

  double Cosine(size_t row, const std::vector<float>& query) const {
    double product = 0;
    double squares = 0;
    double length = 0;
    for (size_t i = 0; i < query.size(); ++i) {
      const double value = values[row * query.size() + i];
      product += value * double{query[i]};
      squares += value * value;
      length += double{query[i]} * double{query[i]};
    }
    return squares == 0 ? 0 : product / std::sqrt(squares * length);
  }

  int64_t width;
  std::vector<int8_t> values;
  std::vector<float> scales;
  std::vector<int64_t> ids;
};

bool IsIn(int64_t id, const std::vector<IdRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const IdRange& range) { return range.begin <= id && id < range.end; });
}

// What the 16 bits of a query and the roundings of a score may move a cosine.
constexpr double kTolerance = 1e-4;

// Expects that `found` are the nearest of the rows with ids that `passes`, up to cosines that are
// nearer to each other than the tolerance.
template <typename Passes>
void ExpectNearest(const Stored& stored, const std::vector<float>& query, int64_t limit,
                   const std::vector<Neighbor>& found, Passes passes) {
  std::vector<std::pair<double, int64_t>> expected;
  for (size_t row = 0; row < stored.ids.size(); ++row) {
    if (passes(stored.ids[row])) {
      expected.emplace_back(-stored.Cosine(row, query), stored.ids[row]);
    }
  }
  std::sort(expected.begin(), expected.end());
  expected.resize(std::min(expected.size(), static_cast<size_t>(limit)));
  ASSERT_EQ(found.size(), expected.size());
  std::set<int64_t> seen;
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_TRUE(passes(found[i].id)) << found[i].id;
    ASSERT_TRUE(seen.insert(found[i].id).second) << found[i].id;
    ASSERT_NEAR(found[i].cosine, -expected[i].first, kTolerance);
    const auto row = static_cast<size_t>(
        std::lower_bound(stored.ids.begin(), stored.ids.end(), found[i].id) - stored.ids.begin());
    ASSERT_NEAR(found[i].cosine, stored.Cosine(row, query), kTolerance);
    if (i == 0) continue;
    ASSERT_TRUE(found[i - 1].cosine > found[i].cosine ||
                (found[i - 1].cosine == found[i].cosine && found[i - 1].id < found[i].id));
  }
}

double Recall(const std::vector<Neighbor>& found, const std::vector<Neighbor>& expected) {
  std::set<int64_t> ids;
  for (const Neighbor& each : found) ids.insert(each.id);
  int64_t hits = 0;
  for (const Neighbor& each : expected) hits += static_cast<int64_t>(ids.count(each.id));
  return static_cast<double>(hits) / static_cast<double>(expected.size());
}

class DenseIndexTest : public testing::Test {
 protected:
  ThreadPool threads_{2};
  Compute compute_{SelectKernelSet(), threads_};
  std::mt19937 random_{1};
};

TEST_F(DenseIndexTest, AnEmptyIndexFindsNothing) {
  DenseIndex index(3);
  EXPECT_EQ(index.size(), 0);
  EXPECT_TRUE(index.Search(std::vector<float>{1, 0, 0}, 10, compute_).empty());
  index.Add({});
  EXPECT_EQ(index.Remove(std::vector<IdRange>{{0, 100}}), 0);
  index.Cluster(compute_);
  EXPECT_TRUE(index.Search(std::vector<float>{1, 0, 0}, 10, compute_).empty());
}

TEST_F(DenseIndexTest, FindsTheNearestForEveryWidthAndSizeOnEverySetAndAnyThreads) {
  for (const KernelSet* kernels : AvailableKernelSets()) {
    for (const int64_t width : {1, 31, 383, 384, 512, 1024}) {
      for (const int64_t rows : {1, 63, 64, 65, 1000}) {
        const Stored stored(RandomVectors(random_, rows, width), width);
        DenseIndex index(width);
        index.Add(stored.block());
        const std::vector<float> query = RandomVectors(random_, 1, width);
        std::vector<Neighbor> first;
        for (const int count : {1, 2, 3}) {
          ThreadPool threads(count);
          const auto found = index.Search(query, 10, {*kernels, threads});
          ASSERT_NO_FATAL_FAILURE(
              ExpectNearest(stored, query, 10, found, [](int64_t) { return true; }))
              << kernels->name << " width " << width << " rows " << rows;
          if (count == 1) first = found;
          ASSERT_EQ(found, first);
        }
      }
    }
  }
}

TEST_F(DenseIndexTest, OfEqualCosinesTheSmallerIdsComeFirst) {
  // Three directions, each many times; blocks come in descending order of their ids.
  std::vector<float> vectors;
  for (int i = 0; i < 5000; ++i) {
    vectors.insert(vectors.end(), {static_cast<float>(i % 3 == 0), static_cast<float>(i % 3 == 1),
                                   static_cast<float>(i % 3 == 2)});
  }
  const Stored stored(vectors, 3);
  DenseIndex index(3);
  for (size_t begin = 5000; begin > 0; begin -= 500) index.Add(stored.block(begin - 500, begin));
  const auto found = index.Search(std::vector<float>{0, 1, 0}, 1000, compute_);
  ASSERT_EQ(found.size(), 1000U);
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].id, static_cast<int64_t>(3 * i + 1));
    ASSERT_NEAR(found[i].cosine, 1, 1e-6);
  }
}

TEST_F(DenseIndexTest, ALimitMayExceedTheIndexOrBeZero) {
  const Stored stored(RandomVectors(random_, 20, 8), 8);
  DenseIndex index(8);
  index.Add(stored.block());
  const std::vector<float> query = RandomVectors(random_, 1, 8);
  EXPECT_EQ(index.Search(query, 1000, compute_).size(), 20U);
  EXPECT_TRUE(index.Search(query, 0, compute_).empty());
  EXPECT_TRUE(index.Search(query, -1, compute_).empty());
}

TEST_F(DenseIndexTest, FilterAndRemovalCountBeforeTheBestAreTaken) {
  const int64_t width = 24;
  const int64_t rows = 3000;
  const Stored stored(RandomVectors(random_, rows, width), width, 100);
  for (const bool refers : {false, true}) {
    DenseIndex index(width);
    for (size_t begin = 0; begin < 3000; begin += 700) {
      const VectorBlock block = stored.block(begin, std::min<size_t>(3000, begin + 700));
      refers ? index.Refer(block) : index.Add(block);
    }
    std::vector<IdRange> removed;
    for (int run = 0; run < 30; ++run) {
      const std::vector<float> query = RandomVectors(random_, 1, width);
      std::vector<IdRange> filter;
      for (int64_t begin = 0; begin < rows + 200;) {
        begin += static_cast<int64_t>(random_() % 700);
        const int64_t end = begin + static_cast<int64_t>(random_() % (run % 2 == 0 ? 300 : 3));
        filter.push_back({begin, end});
        begin = end;
      }
      const auto live = [&](int64_t id) { return !IsIn(id, removed); };
      ASSERT_NO_FATAL_FAILURE(
          ExpectNearest(stored, query, 10, index.Search(query, 10, compute_), live));
      ASSERT_NO_FATAL_FAILURE(
          ExpectNearest(stored, query, 10, index.Search(query, 10, compute_, filter),
                        [&](int64_t id) { return live(id) && IsIn(id, filter); }));
      EXPECT_TRUE(index.Search(query, 10, compute_, std::vector<IdRange>{}).empty());
      const auto begin = static_cast<int64_t>(random_() % 3300);
      const IdRange gone{begin, begin + static_cast<int64_t>(random_() % 90)};
      int64_t expected = 0;
      for (const int64_t id : stored.ids) expected += IsIn(id, {gone}) && live(id) ? 1 : 0;
      EXPECT_EQ(index.Remove(std::vector<IdRange>{gone}), expected);
      removed.push_back(gone);
      int64_t left = 0;
      for (const int64_t id : stored.ids) left += live(id) ? 1 : 0;
      EXPECT_EQ(index.size(), left);
    }
  }
}

TEST_F(DenseIndexTest, ARemovedIdMayBeAddedAgain) {
  const Stored before(RandomVectors(random_, 200, 16), 16);
  const Stored after(RandomVectors(random_, 200, 16), 16);
  DenseIndex index(16);
  index.Add(before.block());
  index.Remove(std::vector<IdRange>{{50, 150}});
  index.Add(after.block(50, 150));
  Stored both = before;
  std::copy(after.values.begin() + 50 * 16, after.values.begin() + 150 * 16,
            both.values.begin() + 50 * 16);
  for (int run = 0; run < 10; ++run) {
    const std::vector<float> query = RandomVectors(random_, 1, 16);
    ASSERT_NO_FATAL_FAILURE(ExpectNearest(both, query, 20, index.Search(query, 20, compute_),
                                          [](int64_t) { return true; }));
  }
}

TEST_F(DenseIndexTest, AVectorOfZerosHasTheCosineZero) {
  DenseIndex index(2);
  const Stored stored({0, 0, -1, 0, 1, 0}, 2);
  index.Add(stored.block());
  EXPECT_EQ(index.Search(std::vector<float>{2, 0}, 3, compute_)[1], (Neighbor{0, 0}));
}

TEST_F(DenseIndexTest, BadVectorsAreErrorsAndNothingIsAdded) {
  DenseIndex index(2);
  const Stored stored({1, 0, 0, 1}, 2, 5);
  index.Add(stored.block());
  const std::vector<int64_t> ids{7, 8};
  const std::vector<int8_t> values{1, 2, 3, 4};
  const std::vector<float> scales{1, 1};
  const auto text = [&](const VectorBlock& block) {
    EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { index.Add(block); }));
    EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { index.Refer(block); }));
    EXPECT_EQ(index.size(), 2);
    return ErrorText([&] { index.Add(block); });
  };
  EXPECT_THAT(text({ids, std::span(values).first(3), scales}), HasSubstr("3 values"));
  EXPECT_THAT(text({ids, values, std::span(scales).first(1)}), HasSubstr("1 scales"));
  EXPECT_THAT(text({std::vector<int64_t>{8, 8}, values, scales}),
              HasSubstr("vector 8 comes after vector 8"));
  EXPECT_THAT(text({std::vector<int64_t>{4, 6}, values, scales}),
              HasSubstr("vector 6 is in the index already"));
  EXPECT_THAT(text({ids, values, std::vector<float>{1, kNaN}}), HasSubstr("scale of vector 8"));
  index.Add({ids, values, scales});
  EXPECT_EQ(index.size(), 4);
}

TEST_F(DenseIndexTest, BadQueriesAreErrors) {
  DenseIndex index(3);
  EXPECT_THAT(ErrorText([&] {
                index.Search(std::vector<float>{1, 2}, 1, compute_);
              }),
              HasSubstr("a query of 2 values cannot be compared with vectors of 3"));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] {
    index.Search(std::vector<float>{1, kNaN, 0}, 1, compute_);
  }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] {
    index.Search(std::vector<float>{0, 0, 0}, 1, compute_);
  }));
}

// Eight bits keep the ranking of floats.
TEST_F(DenseIndexTest, EightBitsFindTheNeighboursOfTheFloats) {
  const int64_t width = 384;
  const int64_t rows = 4000;
  const std::vector<float> vectors = ClusteredVectors(random_, rows, width, 60);
  const Stored stored(vectors, width);
  DenseIndex index(width);
  index.Add(stored.block());
  double recall = 0;
  constexpr int kQueries = 40;
  for (int run = 0; run < kQueries; ++run) {
    // A query is a vector with noise, as a question is near to a text.
    std::vector<float> query = RandomVectors(random_, 1, width);
    const size_t near = random_() % rows;
    for (size_t i = 0; i < query.size(); ++i) query[i] = vectors[near * 384 + i] + 0.5F * query[i];
    std::vector<std::pair<double, int64_t>> order;
    for (int64_t row = 0; row < rows; ++row) {
      double product = 0;
      double squares = 0;
      for (int64_t i = 0; i < width; ++i) {
        const double value = vectors[static_cast<size_t>(row * width + i)];
        product += value * double{query[static_cast<size_t>(i)]};
        squares += value * value;
      }
      order.emplace_back(-product / std::sqrt(squares), row);
    }
    std::sort(order.begin(), order.end());
    std::vector<Neighbor> expected;
    for (size_t i = 0; i < 10; ++i) expected.push_back({order[i].second, 0});
    recall += Recall(index.Search(query, 10, compute_), expected) / kQueries;
  }
  EXPECT_GT(recall, 0.97);
}

class ClusteredIndexTest : public DenseIndexTest {
 protected:
  static constexpr int64_t kWidth = 96;
  static constexpr int64_t kRows = 6000;

  DenseIndex NewIndex(int64_t exact_vectors = 1000) const {
    return DenseIndex(kWidth, {.exact_vectors = exact_vectors});
  }
  std::vector<float> NewQuery() {
    std::vector<float> query = RandomVectors(random_, 1, kWidth);
    const size_t near = random_() % kRows;
    for (size_t i = 0; i < query.size(); ++i) {
      query[i] = vectors_[near * kWidth + i] + 0.3F * query[i];
    }
    return query;
  }

  std::vector<float> vectors_ = ClusteredVectors(random_, kRows, kWidth, 100);
  Stored stored_{vectors_, kWidth};
};

TEST_F(ClusteredIndexTest, FindsNearlyAllThatAnExactSearchFinds) {
  DenseIndex exact = NewIndex(kRows);
  exact.Add(stored_.block());
  DenseIndex index = NewIndex();
  index.Add(stored_.block());
  EXPECT_FALSE(index.IsClustered());
  index.Cluster(compute_);
  ASSERT_TRUE(index.IsClustered());
  EXPECT_LT(index.Clusters().probes, 100);  // of 310
  double recall = 0;
  for (int run = 0; run < 100; ++run) {
    const std::vector<float> query = NewQuery();
    const auto found = index.Search(query, 10, compute_);
    const auto expected = exact.Search(query, 10, compute_);
    recall += Recall(found, expected) / 100;
    // What is found has the scores of the exact search.
    for (const Neighbor& each : found) {
      const auto same = std::find_if(expected.begin(), expected.end(),
                                     [&](const Neighbor& other) { return other.id == each.id; });
      if (same == expected.end()) continue;
      EXPECT_EQ(each, *same);
    }
  }
  EXPECT_GT(recall, 0.97);
}

TEST_F(ClusteredIndexTest, AnIndexThatIsSmallEnoughHasNoLists) {
  DenseIndex index = NewIndex(kRows);
  index.Add(stored_.block());
  index.Cluster(compute_);
  EXPECT_FALSE(index.IsClustered());
  EXPECT_TRUE(index.Clusters().ids.empty());
}

TEST_F(ClusteredIndexTest, AFilterThatFewPassMakesASearchExact) {
  DenseIndex index = NewIndex();
  index.Add(stored_.block());
  index.Cluster(compute_);
  const std::vector<IdRange> filter{{10, 20}, {1000, 1500}, {5990, 9000}};
  for (int run = 0; run < 20; ++run) {
    const std::vector<float> query = NewQuery();
    ASSERT_NO_FATAL_FAILURE(ExpectNearest(stored_, query, 10,
                                          index.Search(query, 10, compute_, filter),
                                          [&](int64_t id) { return IsIn(id, filter); }));
  }
}

TEST_F(ClusteredIndexTest, FiltersAndRemovalsHoldInListsToo) {
  DenseIndex exact = NewIndex(kRows);
  exact.Add(stored_.block());
  DenseIndex index = NewIndex();
  index.Add(stored_.block());
  index.Remove(std::vector<IdRange>{{100, 200}});
  index.Cluster(compute_);
  const std::vector<IdRange> gone{{300, 1300}, {4000, 4010}};
  EXPECT_EQ(index.Remove(gone), 1010);
  exact.Remove(std::vector<IdRange>{{100, 200}});
  exact.Remove(gone);
  std::vector<IdRange> filter;  // two of three ids
  for (int64_t id = 0; id < kRows; id += 3) filter.push_back({id, id + 2});
  double recall = 0;
  double filtered = 0;
  for (int run = 0; run < 100; ++run) {
    const std::vector<float> query = NewQuery();
    recall += Recall(index.Search(query, 10, compute_), exact.Search(query, 10, compute_)) / 100;
    const auto found = index.Search(query, 10, compute_, filter);
    EXPECT_EQ(found.size(), 10U);
    for (const Neighbor& each : found) {
      EXPECT_TRUE(IsIn(each.id, filter) && !IsIn(each.id, gone)) << each.id;
    }
    filtered += Recall(found, exact.Search(query, 10, compute_, filter)) / 100;
  }
  EXPECT_GT(recall, 0.97);
  EXPECT_GT(filtered, 0.97);
}

TEST_F(ClusteredIndexTest, VectorsThatCameLaterAreFound) {
  DenseIndex index = NewIndex();
  index.Add(stored_.block(0, 4001));
  index.Cluster(compute_);
  index.Add(stored_.block(4001, kRows));
  DenseIndex exact = NewIndex(kRows);
  exact.Add(stored_.block());
  double recall = 0;
  for (int run = 0; run < 100; ++run) {
    const std::vector<float> query = NewQuery();
    const auto found = index.Search(query, 10, compute_);
    const auto expected = exact.Search(query, 10, compute_);
    recall += Recall(found, expected) / 100;
    for (const Neighbor& each : expected) {  // later vectors are compared exactly
      if (each.id < 4001) continue;
      EXPECT_TRUE(std::find(found.begin(), found.end(), each) != found.end());
    }
  }
  EXPECT_GT(recall, 0.97);
  index.Cluster(compute_);
  EXPECT_EQ(index.Clusters().ids.size(), static_cast<size_t>(kRows));
}

TEST_F(ClusteredIndexTest, ResultsDoNotDependOnThreads) {
  DenseIndex index = NewIndex();
  index.Add(stored_.block());
  index.Cluster(compute_);
  for (int run = 0; run < 20; ++run) {
    const std::vector<float> query = NewQuery();
    const auto expected = index.Search(query, 50, compute_);
    for (const int count : {1, 3}) {
      ThreadPool threads(count);
      EXPECT_EQ(index.Search(query, 50, {compute_.kernels, threads}), expected);
    }
  }
}

TEST_F(ClusteredIndexTest, ListsCanBeStoredAndSetAgain) {
  DenseIndex index = NewIndex();
  index.Add(stored_.block());
  index.Cluster(compute_);
  index.Remove(std::vector<IdRange>{{40, 60}});
  const ClusterTable table = index.Clusters();
  EXPECT_EQ(table.ids.size(), static_cast<size_t>(kRows - 20));
  DenseIndex other = NewIndex();
  // In other rows, and without the vectors that were removed.
  other.Add(stored_.block(3000, kRows));
  other.Add(stored_.block(60, 3000));
  other.Add(stored_.block(0, 40));
  other.SetClusters(table, compute_);
  for (int run = 0; run < 20; ++run) {
    const std::vector<float> query = NewQuery();
    EXPECT_EQ(other.Search(query, 10, compute_), index.Search(query, 10, compute_));
  }
  // Vectors that a table does not name go to the nearest list, where Cluster puts them as well.
  ClusterTable part = table;
  part.ids.resize(2000);
  part.lists.resize(2000);
  other.SetClusters(part, compute_);
  EXPECT_EQ(other.Clusters().lists, table.lists);
}

TEST_F(ClusteredIndexTest, TablesThatDoNotFitAreErrors) {
  DenseIndex index = NewIndex();
  index.Add(stored_.block());
  index.Cluster(compute_);
  const ClusterTable good = index.Clusters();
  const auto refuses = [&](auto&& damage) {
    ClusterTable table = good;
    damage(table);
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { index.SetClusters(table, compute_); }));
    EXPECT_TRUE(index.IsClustered());
  };
  refuses([](ClusterTable& table) { table.centroids.clear(); });
  refuses([](ClusterTable& table) { table.centroids.pop_back(); });
  refuses([](ClusterTable& table) { table.centroids[7] = kNaN; });
  refuses([](ClusterTable& table) { table.probes = 0; });
  refuses([](ClusterTable& table) { table.probes = 100000; });
  refuses([](ClusterTable& table) { table.ids.pop_back(); });
  refuses([](ClusterTable& table) { table.ids[1] = table.ids[0]; });
  refuses([](ClusterTable& table) { table.lists[0] = -1; });
  refuses([](ClusterTable& table) { table.lists[0] = 100000; });
}

TEST_F(ClusteredIndexTest, AStopLeavesTheIndexAsItWas) {
  DenseIndex index = NewIndex();
  index.Add(stored_.block());
  for (const std::string_view stage : {"clustering", "indexing vectors", "testing lists"}) {
    std::stop_source source;
    const WorkControl control{.stop = source.get_token(),
                              .progress = [&](std::string_view at, uint64_t, uint64_t) {
                                if (at == stage) source.request_stop();
                              }};
    EXPECT_TRUE(Fails(Code::kCancelled, [&] { index.Cluster(compute_, control); })) << stage;
    EXPECT_FALSE(index.IsClustered());
  }
  const std::vector<float> query = NewQuery();
  ASSERT_NO_FATAL_FAILURE(ExpectNearest(stored_, query, 10, index.Search(query, 10, compute_),
                                        [](int64_t) { return true; }));
}

}  // namespace
}  // namespace tome
