// FindFurniture finds page furniture: running headers, footers and page numbers. It compares all
// pages: furniture has the same place, and the same text except for numbers, on pages close to each
// other. Furniture is no part of the text. The printed number becomes the page's label.
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

// Returns the value of a Roman numeral in one case ("xiv", "XIV"). Returns 0 for any other text,
// also for digits out of order or repeated too often.
int RomanValue(std::string_view text);

}  // namespace tome
