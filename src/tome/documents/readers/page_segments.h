// A Segment is words of one line with nothing but ordinary word spaces between them. A line of a
// column is one segment or, in loosely set text and in tables, several. No segment reaches over a
// gutter. Layout decides by segments and never breaks one.
#pragma once

#include <cstddef>
#include <vector>

#include "tome/documents/readers/page_words.h"

namespace tome {

struct Segment {
  size_t first_word = 0;  // indices into PageWords::words
  size_t end_word = 0;
  Box box = {};
  float font_size = 0;  // points; of the longest run of words of one size
  bool mono = false;    // the whole segment
  bool turned = false;  // does not run to the right
};

std::vector<Segment> FindSegments(const PageWords& page);

// A Row holds segments of one line, at any distance from each other, from left to right.
struct Row {
  std::vector<size_t> segments = {};  // indices
  Box box = {};  // top and bottom of the tallest segment, left and right of all
};

// Groups the segments named by `members` into rows, from top to bottom. Turned segments are left
// out.
std::vector<Row> FindRows(const std::vector<Segment>& segments, const std::vector<size_t>& members);

}  // namespace tome
