// VectorRows keeps the vectors of a DenseIndex (dense_index.h) in memory, 8 bits a value, with
// their ids and a bitmap of those that were not removed.
//
// Vectors lie in rows, which are numbered in the order in which they were added. A segment is a run
// of rows whose ids ascend and whose values follow each other in memory, so that ranges of ids are
// ranges of rows, and a scan reads long runs. Row numbers between two segments may be unused.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tome/tensor/tensor.h"

namespace tome {

// Ids [begin, end). The windows of one document have ids that follow each other.
struct IdRange {
  int64_t begin = 0;
  int64_t end = 0;
};

// Vectors as QuantizeVectors makes them.
struct VectorBlock {
  std::span<const int64_t> ids;    // ascending, each once
  std::span<const int8_t> values;  // [ids, width]
  std::span<const float> scales;   // [ids]
};

// A set of rows, a bit for each.
class RowSet {
 public:
  explicit RowSet(int64_t rows = 0) { Resize(rows); }
  void Resize(int64_t rows);
  void Add(int64_t begin, int64_t end);  // rows [begin, end)
  void Keep(const RowSet& rows);         // removes all others
  void Remove(const RowSet& rows);
  bool Contains(int64_t row) const;
  bool ContainsAny(int64_t begin, int64_t end) const;  // `begin` is a multiple of kScanRows
  int64_t count() const;
  // The words from the one of `row` on, which is a multiple of kScanRows.
  const uint64_t* WordsFrom(int64_t row) const;

 private:
  std::vector<uint64_t> words_;
};

class VectorRows {
 public:
  struct Segment {
    int64_t first = 0;  // the number of its first row, a multiple of kScanRows
    int64_t capacity = 0;
    const int8_t* values = nullptr;  // [capacity, width]
    Tensor owned;                    // the memory of `values`, or empty
    std::vector<int64_t> ids;
    std::vector<float> scales;

    int64_t rows() const { return static_cast<int64_t>(ids.size()); }
    int64_t end() const { return first + rows(); }
  };
  // Rows [begin, end) of one segment. `begin` is a multiple of kScanRows.
  struct Piece {
    const Segment* segment = nullptr;
    int64_t begin = 0;
    int64_t end = 0;
  };

  explicit VectorRows(int64_t width) : width_(width) {}

  int64_t width() const { return width_; }
  int64_t size() const { return size_; }  // vectors that were added and not removed
  int64_t end() const { return segments_.empty() ? 0 : segments_.back().end(); }
  int64_t bytes() const;

  // DenseIndex::Add, Refer and Remove.
  void Add(const VectorBlock& block);
  void Refer(const VectorBlock& block);
  int64_t Remove(std::span<const IdRange> ids);

  // Lets the next vectors begin a segment.
  void CloseSegment();

  const RowSet& live() const { return live_; }
  // Returns the live rows of ids in ascending ranges that do not overlap.
  RowSet RowsOf(std::span<const IdRange> ids) const;
  // Returns the pieces of segments from `first_row` on, where a segment begins, that hold some of
  // `rows`.
  std::vector<Piece> PiecesOf(const RowSet& rows, int64_t first_row) const;

  std::span<const Segment> segments() const { return segments_; }
  const Segment& SegmentOf(int64_t row) const;
  int64_t IdOf(const Segment& segment, int64_t row) const;
  const int8_t* ValuesOf(const Segment& segment, int64_t row) const;
  const float* ScaleOf(const Segment& segment, int64_t row) const;
  // Writes the vector of a row, [width], at length 1.
  void Read(int64_t row, std::span<float> vector) const;

 private:
  void Check(const VectorBlock& block) const;
  Segment& NewSegment(int64_t capacity);
  void Append(Segment& segment, const VectorBlock& block);

  int64_t width_;
  int64_t size_ = 0;
  std::vector<Segment> segments_;  // ascending by `first`
  RowSet live_;
};

}  // namespace tome
