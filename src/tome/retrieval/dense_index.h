// DenseIndex finds the stored vectors that are nearest to a query by cosine. It holds vectors in
// memory, 8 bits a value, and knows nothing of where they are kept.
//
// A search that up to DenseOptions::exact_vectors vectors pass the filter of is exact: each of them
// is compared with the query. The only loss is that of 8 bits (quantized_vectors.h).
//
// An index of more vectors can be clustered: its vectors are divided into lists around centroids,
// with copies in 4 bits a value. A search that more vectors pass the filter of then scans the lists
// whose centroids are nearest to the query, in 4 bits, and compares the best candidates in 8 bits.
// How many lists are scanned is found by a test when the lists are made: so many that the stored
// vectors find their own ten nearest with a recall of DenseOptions::recall. Without clusters every
// search is exact, and takes its time.
//
// Filters and removals count before anything is chosen, never after: as many vectors are returned
// as were asked for, wherever enough of those that are compared pass the filter. A filter that few
// vectors pass makes a search exact, and between the two more lists are scanned.
//
// A search is const, and several may run at the same time. Everything else must run alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tome/base/progress.h"
#include "tome/kernels/kernel_set.h"
#include "tome/retrieval/vector_rows.h"

namespace tome {

struct Neighbor {
  int64_t id = 0;
  float cosine = 0;
  bool operator==(const Neighbor&) const = default;
};

// The lists of a clustered index, to be stored and set again.
struct ClusterTable {
  int64_t probes = 0;            // lists that a search scans
  std::vector<float> centroids;  // [lists, width]
  std::vector<int64_t> ids;      // ascending
  std::vector<int32_t> lists;    // [ids], the number of each vector's list
};

struct DenseOptions {
  // Up to as many vectors are compared one by one. A million of 384 values are 384 MB, which two
  // processors read in 12 to 17 ms.
  int64_t exact_vectors = 1'000'000;
  double recall = 0.99;  // that the number of scanned lists is chosen for
};

class DenseIndex {
 public:
  explicit DenseIndex(int64_t width, const DenseOptions& options = {});
  DenseIndex(DenseIndex&&) noexcept;
  DenseIndex& operator=(DenseIndex&&) noexcept;
  ~DenseIndex();

  int64_t width() const { return rows_.width(); }
  int64_t size() const { return rows_.size(); }  // vectors that were added and not removed
  // Bytes of vectors, those of removed ones included, and of lists.
  int64_t bytes() const;

  // Adds vectors. Ids that follow those of the vectors added before are cheapest. Throws
  // Error(kInvalidArgument) where sizes do not fit, where ids are not ascending, where one is in
  // the index already, or for a scale that is no finite number. Then nothing was added.
  void Add(const VectorBlock& block);
  // Does the same without copying `block.values`, which must stay as they are as long as the index.
  void Refer(const VectorBlock& block);

  // Removes the vectors of these ids, in ascending ranges that do not overlap, and returns their
  // number. Their memory stays taken: an index in which most vectors are removed is best made anew.
  // A removed id may be added again.
  int64_t Remove(std::span<const IdRange> ids);

  // Returns the `limit` nearest vectors, best first; of equal cosines the smaller id comes first.
  // With a filter, ascending ranges that do not overlap, only those vectors are considered. Throws
  // Error(kInvalidArgument) for a query of another width, with values that are no finite numbers,
  // or of zeros.
  std::vector<Neighbor> Search(std::span<const float> query, int64_t limit, const Compute& compute,
                               std::optional<std::span<const IdRange>> filter = {}) const;

  // Divides all vectors into lists, where there are more than options.exact_vectors; otherwise the
  // index has no lists afterwards. Vectors that are added later belong to no list and are compared
  // by every search, until this is called again. The time grows as size^1.5.
  // On an error, the index is as it was.
  void Cluster(const Compute& compute, const WorkControl& control = {});
  bool IsClustered() const { return lists_ != nullptr; }

  // Returns the lists as data; empty tables without lists.
  ClusterTable Clusters() const;
  // Makes the lists of a table, where the index has more than options.exact_vectors. Vectors that
  // the table does not name go to the list of the nearest centroid. Throws Error(kCorrupt) for a
  // table that does not fit the index or itself.
  void SetClusters(const ClusterTable& table, const Compute& compute,
                   const WorkControl& control = {});

 private:
  struct Lists;

  VectorRows rows_;
  DenseOptions options_;
  std::unique_ptr<const Lists> lists_;  // null: every search is exact
};

}  // namespace tome
