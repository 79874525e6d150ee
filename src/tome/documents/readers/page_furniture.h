// Page furniture: running headers, footers and page numbers. They are recognised over all pages
// (the same place, the same text but for its numbers, on pages close to each other) and are no part
// of the text; the printed number becomes the page's label.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tome/documents/readers/page_segments.h"

namespace tome {

struct SegmentedPage {
  PageWords words = {};
  std::vector<Segment> segments = {};
};

struct Furniture {
  std::vector<std::vector<bool>> is_furniture = {};  // [page][segment]
  std::vector<std::string> labels = {};              // [page] the number printed on it, or empty
};

Furniture FindFurniture(const std::vector<SegmentedPage>& pages);

// The value of a Roman numeral in one case ("xiv", "XIV"), or 0. Only canonical forms count.
int RomanValue(std::string_view text);

}  // namespace tome
