#include "tome/documents/readers/page_columns.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tome {
namespace {

constexpr size_t kMaxCandidates = 24;  // a page with more is a table

constexpr float kBin = 2.0F;  // points; resolution of the search for gutters
constexpr size_t kMaxBins = 4096;
constexpr float kMinGutterEm = 0.6F;   // narrower than any gutter in print
constexpr float kMinColumnEm = 7.0F;   // about 14 Latin letters: the narrowest newspaper column
constexpr size_t kMinColumnLines = 4;  // fewer lines cannot show running text
constexpr float kFullLine = 0.75F;     // part of the column's width that a full line fills

struct Strip {
  float left = 0;
  float right = 0;
};

float MedianSize(const std::vector<Segment>& segments, const std::vector<size_t>& members) {
  std::vector<float> sizes;
  sizes.reserve(members.size());
  for (const size_t index : members) sizes.push_back(segments[index].font_size);
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return *middle;
}

Strip Extent(const std::vector<Segment>& segments, const std::vector<size_t>& members) {
  Strip extent{segments[members[0]].box.left, segments[members[0]].box.right};
  for (const size_t index : members) {
    extent.left = std::min(extent.left, segments[index].box.left);
    extent.right = std::max(extent.right, segments[index].box.right);
  }
  return extent;
}

// Returns strips that fewer segments cover than either side of them, as candidates for gutters.
std::vector<Strip> CandidateStrips(const std::vector<Segment>& segments,
                                   const std::vector<size_t>& members, Strip extent, float em) {
  const auto bins = static_cast<size_t>((extent.right - extent.left) / kBin) + 1;
  if (bins > kMaxBins) return {};
  std::vector<int> change(bins + 1, 0);
  for (const size_t index : members) {
    const Box& box = segments[index].box;
    const auto first = static_cast<size_t>((box.left - extent.left) / kBin);
    const auto last = static_cast<size_t>((box.right - extent.left) / kBin);
    ++change[std::min(first, bins)];
    --change[std::min(last + 1, bins)];
  }
  std::vector<int> cover(bins);
  int open = 0;
  int most = 0;
  for (size_t i = 0; i < bins; ++i) {
    open += change[i];
    cover[i] = open;
    most = std::max(most, open);
  }
  std::vector<Strip> strips;
  for (size_t i = 1; i < bins;) {
    size_t end = i;
    while (end < bins && cover[end] == cover[i]) ++end;
    const bool valley = end < bins && cover[i - 1] > cover[i] && cover[end] > cover[i];
    const Strip strip{extent.left + kBin * static_cast<float>(i),
                      extent.left + kBin * static_cast<float>(end)};
    // Bins on either side are covered only in part, so the white strip may be up to two bins wider.
    if (valley && cover[i] * 5 <= most * 3 &&
        strip.right - strip.left + kBin >= kMinGutterEm * em) {
      strips.push_back(strip);
    }
    i = end;
  }
  return strips;
}

bool Crosses(const Box& box, const Strip& strip) {
  return box.left < strip.left && box.right > strip.right;
}

bool CrossesAny(const Box& box, const std::vector<Strip>& gutters) {
  return std::any_of(gutters.begin(), gutters.end(),
                     [&](const Strip& gutter) { return Crosses(box, gutter); });
}

// Returns the index of the column between the gutters that holds the middle of the box.
size_t ColumnOf(const Box& box, const std::vector<Strip>& gutters) {
  const float middle = (box.left + box.right) / 2;
  size_t column = 0;
  while (column < gutters.size() && middle > (gutters[column].left + gutters[column].right) / 2) {
    ++column;
  }
  return column;
}

// Returns whether the members are running text: enough lines, most of them full, not a listing.
bool IsRunningText(const std::vector<Segment>& segments, const std::vector<size_t>& members,
                   float em) {
  if (members.size() < kMinColumnLines) return false;
  const Strip extent = Extent(segments, members);
  const float width = extent.right - extent.left;
  if (width < kMinColumnEm * em) return false;
  const std::vector<Row> rows = FindRows(segments, members);
  size_t full = 0;
  size_t mono = 0;
  for (const Row& row : rows) {
    float filled = 0;
    bool listing = true;
    for (const size_t index : row.segments) {
      filled += segments[index].box.width();
      listing = listing && segments[index].mono;
    }
    full += filled >= kFullLine * width ? 1 : 0;
    mono += listing ? 1 : 0;
  }
  return rows.size() >= kMinColumnLines && full * 2 >= rows.size() && mono * 2 < rows.size();
}

// Returns the members that cross no gutter, by column.
std::vector<std::vector<size_t>> ByColumn(const std::vector<Segment>& segments,
                                          const std::vector<size_t>& members,
                                          const std::vector<Strip>& gutters) {
  std::vector<std::vector<size_t>> columns(gutters.size() + 1);
  for (const size_t index : members) {
    const Box& box = segments[index].box;
    if (!CrossesAny(box, gutters)) columns[ColumnOf(box, gutters)].push_back(index);
  }
  return columns;
}

// Drops candidates until every column between the rest is running text.
std::vector<Strip> FindGutters(const std::vector<Segment>& segments,
                               const std::vector<size_t>& members) {
  const float em = MedianSize(segments, members);
  const Strip extent = Extent(segments, members);
  std::vector<Strip> gutters = CandidateStrips(segments, members, extent, em);
  if (gutters.size() > kMaxCandidates) return {};
  while (!gutters.empty()) {
    const std::vector<std::vector<size_t>> columns = ByColumn(segments, members, gutters);
    size_t bad = 0;
    while (bad < columns.size() && IsRunningText(segments, columns[bad], em)) ++bad;
    if (bad == columns.size()) break;
    // The column without running text joins its nearer neighbour.
    size_t drop = bad == gutters.size() ? bad - 1 : bad;
    if (bad > 0 && bad < gutters.size()) {
      const float before = gutters[bad - 1].right - gutters[bad - 1].left;
      const float after = gutters[bad].right - gutters[bad].left;
      if (before < after) drop = bad - 1;
    }
    gutters.erase(gutters.begin() + static_cast<std::ptrdiff_t>(drop));
  }
  return gutters;
}

// Returns for each segment whether a segment of its row crosses a gutter. A row counts as a whole.
std::vector<bool> FindSpanning(const std::vector<Segment>& segments,
                               const std::vector<size_t>& members,
                               const std::vector<Strip>& gutters) {
  std::vector<bool> spanning(segments.size(), false);
  for (const Row& row : FindRows(segments, members)) {
    const bool crossed = std::any_of(row.segments.begin(), row.segments.end(), [&](size_t index) {
      return CrossesAny(segments[index].box, gutters);
    });
    for (const size_t index : row.segments) spanning[index] = crossed;
  }
  return spanning;
}

// Collects regions band by band while segments come from top to bottom.
class BandWriter {
 public:
  BandWriter(std::vector<Strip> columns, Strip page, std::vector<Region>& out)
      : columns_(std::move(columns)), page_(page), out_(out), band_(columns_.size()) {}

  void AddToColumn(size_t column, size_t segment) {
    Flush(spanning_, page_);
    band_[column].push_back(segment);
  }
  void AddSpanning(size_t segment) {
    FlushColumns();
    spanning_.push_back(segment);
  }
  void Finish() {
    FlushColumns();
    Flush(spanning_, page_);
  }

 private:
  void FlushColumns() {
    for (size_t c = 0; c < band_.size(); ++c) Flush(band_[c], columns_[c]);
  }
  void Flush(std::vector<size_t>& members, Strip span) {
    if (members.empty()) return;
    out_.push_back(
        {.segments = std::exchange(members, {}), .left = span.left, .right = span.right});
  }

  std::vector<Strip> columns_;
  Strip page_;
  std::vector<Region>& out_;  // of the caller, which outlives this
  std::vector<std::vector<size_t>> band_;
  std::vector<size_t> spanning_;
};

void AddUprightRegions(const std::vector<Segment>& segments, std::vector<size_t> members,
                       std::vector<Region>& regions) {
  if (members.empty()) return;
  const Strip page = Extent(segments, members);
  const std::vector<Strip> gutters = FindGutters(segments, members);
  if (gutters.empty()) {
    regions.push_back({.segments = std::move(members), .left = page.left, .right = page.right});
    return;
  }
  std::vector<Strip> columns;
  for (const std::vector<size_t>& column : ByColumn(segments, members, gutters)) {
    columns.push_back(Extent(segments, column));
  }
  const std::vector<bool> spanning = FindSpanning(segments, members, gutters);
  std::stable_sort(members.begin(), members.end(), [&](size_t a, size_t b) {
    return segments[a].box.center_y() < segments[b].box.center_y();
  });
  BandWriter writer(std::move(columns), page, regions);
  for (const size_t index : members) {
    if (spanning[index]) {
      writer.AddSpanning(index);
    } else {
      writer.AddToColumn(ColumnOf(segments[index].box, gutters), index);
    }
  }
  writer.Finish();
}

}  // namespace

std::vector<Region> FindRegions(const PageWords& page, const std::vector<Segment>& segments,
                                const std::vector<size_t>& members) {
  std::vector<size_t> upright;
  std::vector<size_t> turned;
  for (const size_t index : members) (segments[index].turned ? turned : upright).push_back(index);
  std::vector<Region> regions;
  AddUprightRegions(segments, std::move(upright), regions);
  if (!turned.empty()) {
    regions.push_back({.segments = std::move(turned), .left = 0, .right = page.width});
  }
  return regions;
}

}  // namespace tome
