// FindRegions finds the reading order: it cuts a page into regions, each a piece of one column, in
// the order in which they are read. Columns are found by their gutters: white strips with running
// text on both sides. Text that reaches over a gutter (a title, a figure's caption, a wide table)
// divides the page into bands, and the columns of a band are read from left to right before the
// next band.
//
// A table has gutters too but no running text beside them, so it stays one region and is read row
// by row.
#pragma once

#include <cstddef>
#include <vector>

#include "tome/documents/readers/page_segments.h"

namespace tome {

struct Region {
  std::vector<size_t> segments = {};  // indices, not in order
  float left = 0;                     // edges of its column, points
  float right = 0;
};

// `members` are the segments to place, without furniture. Turned segments come last, in a region of
// their own. O(n log n) for n segments.
std::vector<Region> FindRegions(const PageWords& page, const std::vector<Segment>& segments,
                                const std::vector<size_t>& members);

}  // namespace tome
