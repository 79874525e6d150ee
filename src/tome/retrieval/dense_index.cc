#include "tome/retrieval/dense_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "tome/base/error.h"
#include "tome/retrieval/centroids.h"
#include "tome/retrieval/nibble_lists.h"
#include "tome/retrieval/quantized_vectors.h"

namespace tome {
namespace {

// Rows whose scores are computed before the best of them are taken.
constexpr int64_t kScoredRows = 8 * kScanRows;
// Rows that are encoded at a time.
constexpr int64_t kEncodedRows = 2048;
// Rows of a task that compares candidates.
constexpr int64_t kCandidateTask = 16;

// There are so many lists that a search spends about as long on their centroids as on the lists
// that it scans.
constexpr double kListsPerRoot = 4;
constexpr int64_t kSamplePerList = 32;
constexpr int kTrainingRounds = 6;
// Stored vectors whose neighbours show how many lists have to be scanned.
constexpr int64_t kProbeQueries = 200;
constexpr int64_t kProbeNeighbors = 10;
// Candidates of the scan in 4 bits: for each vector that is asked for, and at least.
constexpr int64_t kCandidatesPerResult = 10;
constexpr int64_t kLeastCandidates = 100;

struct Scored {
  float cosine = 0;
  int64_t id = 0;
  int64_t row = 0;
};

// The best of many scores; of equal ones those with the smallest ids.
class Best {
 public:
  explicit Best(int64_t limit) : limit_(static_cast<size_t>(limit)) {}

  // Lower scores have no place.
  float least() const {
    return scored_.size() < limit_ ? -std::numeric_limits<float>::max() : scored_.front().cosine;
  }

  void Add(const Scored& scored) {
    if (scored_.size() == limit_) {
      if (!IsBetter(scored, scored_.front())) return;
      std::pop_heap(scored_.begin(), scored_.end(), IsBetter);
      scored_.pop_back();
    }
    scored_.push_back(scored);
    std::push_heap(scored_.begin(), scored_.end(), IsBetter);
  }

  // Returns the best of what several threads found, best first.
  static std::vector<Scored> Merge(const std::vector<Best>& parts) {
    std::vector<Scored> all;
    for (const Best& part : parts) all.insert(all.end(), part.scored_.begin(), part.scored_.end());
    std::sort(all.begin(), all.end(), IsBetter);
    all.resize(std::min(all.size(), parts.front().limit_));
    return all;
  }

 private:
  static bool IsBetter(const Scored& a, const Scored& b) {
    return a.cosine != b.cosine ? a.cosine > b.cosine : a.id < b.id;
  }

  size_t limit_;
  std::vector<Scored> scored_;  // a heap with the worst in front
};

std::vector<Best> BestOfThreads(int64_t limit, const Compute& compute) {
  return std::vector<Best>(static_cast<size_t>(compute.threads.threads()), Best(limit));
}

// Compares a query with the rows of one piece that are in `kept`.
void ScanPiece(const VectorRows& rows, const VectorRows::Piece& piece, const RowSet& kept,
               const VectorQuery& query, const KernelSet& kernels, Best& best) {
  const VectorRows::Segment& segment = *piece.segment;
  std::array<float, kScoredRows> scores;
  for (int64_t begin = piece.begin; begin < piece.end; begin += kScoredRows) {
    const int64_t count = std::min(kScoredRows, piece.end - begin);
    kernels.scan_vectors({.vectors = rows.ValuesOf(segment, begin),
                          .scales = rows.ScaleOf(segment, begin),
                          .query = query.values.data(),
                          .query_scale = query.scale,
                          .kept = kept.WordsFrom(begin),
                          .scores = scores.data(),
                          .rows = count,
                          .width = rows.width()});
    float least = best.least();
    for (int64_t i = 0; i < count; ++i) {
      const float score = scores[static_cast<size_t>(i)];
      if (!(score >= least)) continue;
      best.Add({score, rows.IdOf(segment, begin + i), begin + i});
      least = best.least();
    }
  }
}

// Compares a query with all rows from `first_row` on that are in `kept`.
void ScanRows(const VectorRows& rows, int64_t first_row, const RowSet& kept,
              const VectorQuery& query, const Compute& compute, std::vector<Best>& best) {
  const std::vector<VectorRows::Piece> pieces = rows.PiecesOf(kept, first_row);
  compute.threads.ParallelFor(static_cast<int64_t>(pieces.size()), [&](int64_t task, int worker) {
    ScanPiece(rows, pieces[static_cast<size_t>(task)], kept, query, compute.kernels,
              best[static_cast<size_t>(worker)]);
  });
}

// Compares a query with some rows.
void ScanCandidates(const VectorRows& rows, std::span<const Scored> candidates,
                    const VectorQuery& query, const Compute& compute, std::vector<Best>& best) {
  const auto count = static_cast<int64_t>(candidates.size());
  compute.threads.ParallelFor(
      (count + kCandidateTask - 1) / kCandidateTask, [&](int64_t task, int worker) {
        const int64_t end = std::min(count, (task + 1) * kCandidateTask);
        for (int64_t i = task * kCandidateTask; i < end; ++i) {
          const int64_t row = candidates[static_cast<size_t>(i)].row;
          const VectorRows::Segment& segment = rows.SegmentOf(row);
          float score = 0;
          compute.kernels.scan_vectors({.vectors = rows.ValuesOf(segment, row),
                                        .scales = rows.ScaleOf(segment, row),
                                        .query = query.values.data(),
                                        .query_scale = query.scale,
                                        .scores = &score,
                                        .rows = 1,
                                        .width = rows.width()});
          best[static_cast<size_t>(worker)].Add({score, rows.IdOf(segment, row), row});
        }
      });
}

// Returns up to `count` live rows, spread evenly over all of them.
std::vector<int64_t> SomeRows(const VectorRows& rows, int64_t count) {
  std::vector<int64_t> some;
  int64_t seen = 0;
  for (const VectorRows::Segment& segment : rows.segments()) {
    for (int64_t row = segment.first; row < segment.end(); ++row) {
      if (!rows.live().Contains(row)) continue;
      // Takes the row where the share that is due passes the next whole number.
      if (seen * count / rows.size() != (seen + 1) * count / rows.size()) some.push_back(row);
      ++seen;
    }
  }
  return some;
}

[[noreturn]] void BadTable(const char* what) {
  throw Error(
      Code::kCorrupt,
      fmt::format("the lists of the index of vectors do not fit it: {}; make them anew", what));
}

void CheckTable(const ClusterTable& table, int64_t width) {
  const auto lists = static_cast<int64_t>(table.centroids.size()) / width;
  if (lists == 0 || static_cast<int64_t>(table.centroids.size()) != lists * width) {
    BadTable("the centroids have another width");
  }
  if (!std::all_of(table.centroids.begin(), table.centroids.end(),
                   [](float value) { return std::isfinite(value); })) {
    BadTable("a centroid holds a value that is no finite number");
  }
  if (table.probes < 1 || table.probes > lists) BadTable("it scans more lists than there are");
  if (table.ids.size() != table.lists.size()) BadTable("there is not a list for each vector");
  if (std::adjacent_find(table.ids.begin(), table.ids.end(), std::greater_equal<>()) !=
      table.ids.end()) {
    BadTable("its vectors are not in ascending order");
  }
  for (const int32_t list : table.lists) {
    if (list < 0 || list >= lists) BadTable("a vector is in a list that does not exist");
  }
}

}  // namespace

struct DenseIndex::Lists {
  Lists(std::vector<float> values, int64_t width)
      : centroids(std::move(values)),
        codes(centroids.size()),
        scales(centroids.size() / static_cast<size_t>(width)),
        nibbles(width, static_cast<int64_t>(scales.size())) {
    QuantizeVectors(centroids, width, codes, scales);
  }

  int64_t count() const { return nibbles.lists(); }
  void Fill(const VectorRows& rows, const ClusterTable& table, const Compute& compute,
            const WorkControl& control);
  std::vector<int32_t> Nearest(const VectorQuery& query, int64_t number,
                               const Compute& compute) const;
  int64_t FindProbes(const VectorRows& rows, double recall, const Compute& compute,
                     const WorkControl& control) const;
  std::vector<Scored> Candidates(std::span<const float> query, const VectorQuery& quantized,
                                 int64_t scanned, int64_t limit, const RowSet& kept,
                                 const Compute& compute) const;

  std::vector<float> centroids;  // [lists, width]
  std::vector<int8_t> codes;     // of the centroids, as queries are compared with them
  std::vector<float> scales;
  NibbleLists nibbles;
  std::vector<int32_t> list_of;  // by row; −1: in no list
  int64_t end_row = 0;           // no row from here on is in a list
  int64_t probes = 0;
};

// Puts all live rows into lists: those that the table names into its lists, the others into those
// of the nearest centroids.
void DenseIndex::Lists::Fill(const VectorRows& rows, const ClusterTable& table,
                             const Compute& compute, const WorkControl& control) {
  NearestCentroids nearest(centroids, rows.width(), compute);
  const auto width = static_cast<size_t>(rows.width());
  end_row = rows.end();
  list_of.assign(static_cast<size_t>(end_row), -1);
  std::vector<int64_t> batch;
  std::vector<float> vectors;
  std::vector<int32_t> lists;
  std::vector<float> code_scales(kEncodedRows);
  std::vector<uint8_t> code(static_cast<size_t>(kEncodedRows * nibbles.code_bytes()));
  const auto code_of = [&](size_t i) {
    const auto bytes = static_cast<size_t>(nibbles.code_bytes());
    return std::span(code).subspan(i * bytes, bytes);
  };
  const auto append = [&] {
    vectors.resize(batch.size() * width);
    lists.resize(batch.size());
    for (size_t i = 0; i < batch.size(); ++i) {
      rows.Read(batch[i], std::span(vectors).subspan(i * width, width));
    }
    const bool known = std::none_of(batch.begin(), batch.end(), [&](int64_t row) {
      return list_of[static_cast<size_t>(row)] < 0;
    });
    if (!known) nearest.Find(vectors, lists);
    TurnForNibbles(vectors, rows.width(), compute);
    compute.threads.ParallelFor(static_cast<int64_t>(batch.size()), [&](int64_t task, int) {
      const auto i = static_cast<size_t>(task);
      code_scales[i] = EncodeNibbles(std::span(vectors).subspan(i * width, width), code_of(i));
    });
    for (size_t i = 0; i < batch.size(); ++i) {
      int32_t& list = list_of[static_cast<size_t>(batch[i])];
      if (list < 0) list = lists[i];
      nibbles.Append(list, static_cast<uint32_t>(batch[i]), code_of(i), code_scales[i]);
    }
    batch.clear();
  };
  for (const VectorRows::Segment& segment : rows.segments()) {
    auto at = std::lower_bound(table.ids.begin(), table.ids.end(), segment.ids.front());
    for (int64_t row = segment.first; row < segment.end(); ++row) {
      const int64_t id = rows.IdOf(segment, row);
      while (at != table.ids.end() && *at < id) ++at;
      if (!rows.live().Contains(row)) continue;
      if (at != table.ids.end() && *at == id) {
        list_of[static_cast<size_t>(row)] =
            table.lists[static_cast<size_t>(at - table.ids.begin())];
      }
      batch.push_back(row);
      if (static_cast<int64_t>(batch.size()) < kEncodedRows) continue;
      append();
      control.CheckStop();
      control.Report("indexing vectors", static_cast<uint64_t>(row),
                     static_cast<uint64_t>(rows.end()));
    }
  }
  if (!batch.empty()) append();
}

// Returns the lists whose centroids are nearest to a query, the nearest first.
std::vector<int32_t> DenseIndex::Lists::Nearest(const VectorQuery& query, int64_t number,
                                                const Compute& compute) const {
  const auto width = static_cast<int64_t>(codes.size()) / count();
  std::vector<float> scores(scales.size());
  constexpr int64_t kTask = 16 * kScanRows;
  compute.threads.ParallelFor((count() + kTask - 1) / kTask, [&](int64_t task, int) {
    const int64_t begin = task * kTask;
    compute.kernels.scan_vectors({.vectors = codes.data() + begin * width,
                                  .scales = scales.data() + begin,
                                  .query = query.values.data(),
                                  .query_scale = query.scale,
                                  .scores = scores.data() + begin,
                                  .rows = std::min(kTask, count() - begin),
                                  .width = width});
  });
  std::vector<int32_t> order(scores.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
  std::partial_sort(order.begin(), order.begin() + number, order.end(), [&](int32_t a, int32_t b) {
    const float x = scores[static_cast<size_t>(a)];
    const float y = scores[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  });
  order.resize(static_cast<size_t>(number));
  return order;
}

// Returns the number of lists that have to be scanned to find this share of the nearest vectors of
// stored vectors.
int64_t DenseIndex::Lists::FindProbes(const VectorRows& rows, double recall, const Compute& compute,
                                      const WorkControl& control) const {
  std::vector<float> query(static_cast<size_t>(rows.width()));
  std::vector<int64_t> needed;  // for each neighbour of each query
  const std::vector<int64_t> queries = SomeRows(rows, kProbeQueries);
  for (size_t i = 0; i < queries.size(); ++i) {
    control.CheckStop();
    control.Report("testing lists", i, queries.size());
    if (*rows.ScaleOf(rows.SegmentOf(queries[i]), queries[i]) == 0) continue;
    rows.Read(queries[i], query);
    const VectorQuery quantized = QuantizeQuery(query);
    std::vector<Best> best = BestOfThreads(kProbeNeighbors + 1, compute);
    ScanRows(rows, 0, rows.live(), quantized, compute, best);
    const std::vector<int32_t> order = Nearest(quantized, count(), compute);
    for (const Scored& neighbor : Best::Merge(best)) {
      if (neighbor.row == queries[i]) continue;
      const int32_t list = list_of[static_cast<size_t>(neighbor.row)];
      needed.push_back(std::find(order.begin(), order.end(), list) - order.begin() + 1);
    }
  }
  if (needed.empty()) return 1;
  const auto found = static_cast<size_t>(recall * static_cast<double>(needed.size() - 1));
  std::nth_element(needed.begin(), needed.begin() + static_cast<std::ptrdiff_t>(found),
                   needed.end());
  return needed[found];
}

// Returns the best rows of `kept` in the `scanned` nearest lists.
std::vector<Scored> DenseIndex::Lists::Candidates(std::span<const float> query,
                                                  const VectorQuery& quantized, int64_t scanned,
                                                  int64_t limit, const RowSet& kept,
                                                  const Compute& compute) const {
  std::vector<float> turned(query.begin(), query.end());
  TurnForNibbles(turned, static_cast<int64_t>(turned.size()), compute);
  const NibbleQuery nibble_query(turned);
  const std::vector<int32_t> chosen = Nearest(quantized, scanned, compute);
  std::vector<Best> best = BestOfThreads(limit, compute);
  compute.threads.ParallelFor(scanned, [&](int64_t task, int worker) {
    Best& mine = best[static_cast<size_t>(worker)];
    nibbles.Scan(chosen[static_cast<size_t>(task)], nibble_query, compute.kernels,
                 [&](std::span<const uint32_t> rows, std::span<const float> scores) {
                   for (size_t i = 0; i < rows.size(); ++i) {
                     if (scores[i] < mine.least() || !kept.Contains(rows[i])) continue;
                     mine.Add({scores[i], rows[i], rows[i]});
                   }
                 });
  });
  return Best::Merge(best);
}

DenseIndex::DenseIndex(int64_t width, const DenseOptions& options)
    : rows_(width), options_(options) {
  TOME_CHECK(width > 0);
}
DenseIndex::DenseIndex(DenseIndex&&) noexcept = default;
DenseIndex& DenseIndex::operator=(DenseIndex&&) noexcept = default;
DenseIndex::~DenseIndex() = default;

int64_t DenseIndex::bytes() const {
  if (lists_ == nullptr) return rows_.bytes();
  return rows_.bytes() + lists_->nibbles.bytes() +
         static_cast<int64_t>(lists_->centroids.size() * (sizeof(float) + sizeof(int8_t)) +
                              lists_->list_of.size() * sizeof(int32_t));
}

void DenseIndex::Add(const VectorBlock& block) { rows_.Add(block); }
void DenseIndex::Refer(const VectorBlock& block) { rows_.Refer(block); }
int64_t DenseIndex::Remove(std::span<const IdRange> ids) { return rows_.Remove(ids); }

std::vector<Neighbor> DenseIndex::Search(std::span<const float> query, int64_t limit,
                                         const Compute& compute,
                                         std::optional<std::span<const IdRange>> filter) const {
  if (static_cast<int64_t>(query.size()) != width()) {
    throw Error(Code::kInvalidArgument,
                fmt::format("a query of {} values cannot be compared with vectors of {}; use the "
                            "embedder that the index was made with",
                            query.size(), width()));
  }
  const VectorQuery quantized = QuantizeQuery(query);
  if (limit <= 0) return {};
  RowSet filtered;
  if (filter) filtered = rows_.RowsOf(*filter);
  const RowSet& kept = filter ? filtered : rows_.live();
  const int64_t count = filter ? filtered.count() : size();
  if (count == 0) return {};
  std::vector<Best> best = BestOfThreads(std::min(limit, count), compute);
  if (lists_ == nullptr || count <= options_.exact_vectors) {
    ScanRows(rows_, 0, kept, quantized, compute, best);
  } else {
    // Where few vectors of a list pass the filter, the nearest ones that do lie in more lists.
    const auto share = static_cast<double>(count) / static_cast<double>(size());
    const auto scanned =
        static_cast<int64_t>(std::min(static_cast<double>(lists_->count()),
                                      std::ceil(static_cast<double>(lists_->probes) / share)));
    const int64_t candidates =
        std::min(count, std::max(kLeastCandidates, limit * kCandidatesPerResult));
    ScanCandidates(rows_, lists_->Candidates(query, quantized, scanned, candidates, kept, compute),
                   quantized, compute, best);
    ScanRows(rows_, lists_->end_row, kept, quantized, compute, best);
  }
  std::vector<Neighbor> neighbors;
  for (const Scored& scored : Best::Merge(best)) neighbors.push_back({scored.id, scored.cosine});
  return neighbors;
}

void DenseIndex::Cluster(const Compute& compute, const WorkControl& control) {
  if (size() <= options_.exact_vectors) {
    lists_ = nullptr;
    return;
  }
  const auto count =
      static_cast<int64_t>(std::ceil(kListsPerRoot * std::sqrt(static_cast<double>(size()))));
  const int64_t number = std::min(count, size());
  const std::vector<int64_t> sample = SomeRows(rows_, std::min(size(), number * kSamplePerList));
  std::vector<float> centroids;
  {
    const auto columns = static_cast<size_t>(width());
    std::vector<float> vectors(sample.size() * columns);
    for (size_t i = 0; i < sample.size(); ++i) {
      rows_.Read(sample[i], std::span(vectors).subspan(i * columns, columns));
    }
    centroids = TrainCentroids(vectors, width(), number, kTrainingRounds, compute, control);
  }
  auto lists = std::make_unique<Lists>(std::move(centroids), width());
  lists->Fill(rows_, {}, compute, control);
  lists->probes = lists->FindProbes(rows_, options_.recall, compute, control);
  rows_.CloseSegment();
  lists_ = std::move(lists);
}

ClusterTable DenseIndex::Clusters() const {
  ClusterTable table;
  if (lists_ == nullptr) return table;
  table.probes = lists_->probes;
  table.centroids = lists_->centroids;
  std::vector<std::pair<int64_t, int32_t>> entries;
  for (const VectorRows::Segment& segment : rows_.segments()) {
    for (int64_t row = segment.first; row < std::min(segment.end(), lists_->end_row); ++row) {
      if (!rows_.live().Contains(row)) continue;
      entries.emplace_back(rows_.IdOf(segment, row), lists_->list_of[static_cast<size_t>(row)]);
    }
  }
  std::sort(entries.begin(), entries.end());
  for (const auto& [id, list] : entries) {
    table.ids.push_back(id);
    table.lists.push_back(list);
  }
  return table;
}

void DenseIndex::SetClusters(const ClusterTable& table, const Compute& compute,
                             const WorkControl& control) {
  CheckTable(table, width());
  if (size() <= options_.exact_vectors) {
    lists_ = nullptr;
    return;
  }
  auto lists = std::make_unique<Lists>(table.centroids, width());
  lists->probes = table.probes;
  lists->Fill(rows_, table, compute, control);
  rows_.CloseSegment();
  lists_ = std::move(lists);
}

}  // namespace tome
