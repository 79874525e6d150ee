#include "tome/retrieval/vector_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "tome/base/error.h"
#include "tome/kernels/vector_scan.h"

namespace tome {
namespace {

// Rows of one piece: enough work to outweigh the cost of starting a task.
constexpr int64_t kPieceRows = 4096;
// Least and most rows of a segment of copied vectors. Between them, memory doubles with the index.
constexpr int64_t kLeastSegment = 1024;
constexpr int64_t kMostSegment = 262144;

int64_t WordsOf(int64_t rows) { return (rows + kScanRows - 1) / kScanRows; }

[[noreturn]] void BadBlock(const std::string& what) {
  throw Error(Code::kInvalidArgument, fmt::format("vectors cannot be indexed: {}", what));
}

}  // namespace

void RowSet::Resize(int64_t rows) { words_.resize(static_cast<size_t>(WordsOf(rows))); }

void RowSet::Add(int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end;) {
    const int64_t bit = row % kScanRows;
    const int64_t count = std::min(kScanRows - bit, end - row);
    words_[static_cast<size_t>(row / kScanRows)] |= ~uint64_t{0} >> (kScanRows - count) << bit;
    row += count;
  }
}

void RowSet::Keep(const RowSet& rows) {
  for (size_t i = 0; i < words_.size(); ++i) words_[i] &= rows.words_[i];
}

void RowSet::Remove(const RowSet& rows) {
  for (size_t i = 0; i < words_.size(); ++i) words_[i] &= ~rows.words_[i];
}

bool RowSet::Contains(int64_t row) const {
  return (words_[static_cast<size_t>(row / kScanRows)] >> (row % kScanRows) & 1) != 0;
}

bool RowSet::ContainsAny(int64_t begin, int64_t end) const {
  const auto first = words_.begin() + begin / kScanRows;
  return std::any_of(first, words_.begin() + WordsOf(end), [](uint64_t word) { return word != 0; });
}

int64_t RowSet::count() const {
  int64_t count = 0;
  for (const uint64_t word : words_) count += std::popcount(word);
  return count;
}

const uint64_t* RowSet::WordsFrom(int64_t row) const { return words_.data() + row / kScanRows; }

int64_t VectorRows::bytes() const {
  int64_t bytes = 0;
  for (const Segment& segment : segments_) {
    bytes += segment.rows() * (width_ + static_cast<int64_t>(sizeof(int64_t) + sizeof(float)));
  }
  return bytes;
}

void VectorRows::Check(const VectorBlock& block) const {
  const size_t rows = block.ids.size();
  if (block.scales.size() != rows || block.values.size() != rows * static_cast<size_t>(width_)) {
    BadBlock(fmt::format("{} ids, {} scales and {} values are no vectors of {} values", rows,
                         block.scales.size(), block.values.size(), width_));
  }
  for (size_t i = 0; i < rows; ++i) {
    if (!std::isfinite(block.scales[i])) {
      BadBlock(fmt::format("the scale of vector {} is no finite number", block.ids[i]));
    }
    if (i > 0 && block.ids[i] <= block.ids[i - 1]) {
      BadBlock(fmt::format("vector {} comes after vector {}", block.ids[i], block.ids[i - 1]));
    }
  }
  if (rows == 0) return;
  for (const Segment& segment : segments_) {
    if (segment.ids.back() < block.ids.front() || segment.ids.front() > block.ids.back()) continue;
    for (const int64_t id : block.ids) {
      const auto found = std::lower_bound(segment.ids.begin(), segment.ids.end(), id);
      if (found == segment.ids.end() || *found != id) continue;
      if (live_.Contains(segment.first + (found - segment.ids.begin()))) {
        BadBlock(fmt::format("vector {} is in the index already", id));
      }
    }
  }
}

VectorRows::Segment& VectorRows::NewSegment(int64_t capacity) {
  const int64_t first = WordsOf(end()) * kScanRows;
  Segment& segment = segments_.emplace_back();
  segment.first = first;
  segment.capacity = capacity;
  return segment;
}

void VectorRows::Append(Segment& segment, const VectorBlock& block) {
  const int64_t begin = segment.end();
  segment.ids.insert(segment.ids.end(), block.ids.begin(), block.ids.end());
  segment.scales.insert(segment.scales.end(), block.scales.begin(), block.scales.end());
  live_.Resize(segment.end());
  live_.Add(begin, segment.end());
  size_ += segment.end() - begin;
}

void VectorRows::Add(const VectorBlock& block) {
  Check(block);
  for (VectorBlock left = block; !left.ids.empty();) {
    const auto rows = static_cast<int64_t>(left.ids.size());
    Segment* segment = segments_.empty() ? nullptr : &segments_.back();
    if (segment == nullptr || segment->rows() == segment->capacity ||
        left.ids.front() <= segment->ids.back()) {
      Tensor memory(DType::kI8,
                    {std::max(rows, std::clamp(size_, kLeastSegment, kMostSegment)), width_},
                    Fill::kNone);
      segment = &NewSegment(memory.shape()[0]);
      segment->owned = std::move(memory);
      segment->values = reinterpret_cast<const int8_t*>(segment->owned.data());
    }
    const auto some = static_cast<size_t>(std::min(rows, segment->capacity - segment->rows()));
    const size_t values = some * static_cast<size_t>(width_);
    std::memcpy(segment->owned.data() + segment->rows() * width_, left.values.data(), values);
    Append(*segment, {left.ids.first(some), left.values.first(values), left.scales.first(some)});
    left = {left.ids.subspan(some), left.values.subspan(values), left.scales.subspan(some)};
  }
}

void VectorRows::Refer(const VectorBlock& block) {
  Check(block);
  if (block.ids.empty()) return;
  Segment& segment = NewSegment(static_cast<int64_t>(block.ids.size()));
  segment.values = block.values.data();
  Append(segment, block);
}

int64_t VectorRows::Remove(std::span<const IdRange> ids) {
  const RowSet rows = RowsOf(ids);
  live_.Remove(rows);
  const int64_t removed = rows.count();
  size_ -= removed;
  return removed;
}

void VectorRows::CloseSegment() {
  if (!segments_.empty()) segments_.back().capacity = segments_.back().rows();
}

RowSet VectorRows::RowsOf(std::span<const IdRange> ids) const {
  RowSet rows(end());
  for (const Segment& segment : segments_) {
    auto range = std::partition_point(ids.begin(), ids.end(), [&](const IdRange& each) {
      return each.end <= segment.ids.front();
    });
    auto at = segment.ids.begin();
    for (; range != ids.end() && range->begin <= segment.ids.back(); ++range) {
      at = std::lower_bound(at, segment.ids.end(), range->begin);
      const auto end = std::lower_bound(at, segment.ids.end(), range->end);
      rows.Add(segment.first + (at - segment.ids.begin()),
               segment.first + (end - segment.ids.begin()));
      at = end;
    }
  }
  rows.Keep(live_);
  return rows;
}

std::vector<VectorRows::Piece> VectorRows::PiecesOf(const RowSet& rows, int64_t first_row) const {
  std::vector<Piece> pieces;
  for (const Segment& segment : segments_) {
    if (segment.first < first_row) continue;
    for (int64_t begin = segment.first; begin < segment.end(); begin += kPieceRows) {
      const int64_t end = std::min(begin + kPieceRows, segment.end());
      if (rows.ContainsAny(begin, end)) pieces.push_back({&segment, begin, end});
    }
  }
  return pieces;
}

const VectorRows::Segment& VectorRows::SegmentOf(int64_t row) const {
  const auto after = std::partition_point(segments_.begin(), segments_.end(),
                                          [&](const Segment& each) { return each.first <= row; });
  return *(after - 1);
}

int64_t VectorRows::IdOf(const Segment& segment, int64_t row) const {
  return segment.ids[static_cast<size_t>(row - segment.first)];
}

const int8_t* VectorRows::ValuesOf(const Segment& segment, int64_t row) const {
  return segment.values + (row - segment.first) * width_;
}

const float* VectorRows::ScaleOf(const Segment& segment, int64_t row) const {
  return segment.scales.data() + (row - segment.first);
}

void VectorRows::Read(int64_t row, std::span<float> vector) const {
  const Segment& segment = SegmentOf(row);
  const int8_t* const values = ValuesOf(segment, row);
  const float scale = *ScaleOf(segment, row);
  std::transform(values, values + width_, vector.begin(),
                 [&](int8_t value) { return scale * static_cast<float>(value); });
}

}  // namespace tome
