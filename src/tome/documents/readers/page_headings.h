// Where sections begin: each entry of the outline is placed at the line of the page that shows its
// title; without an outline, lines set clearly larger than the body are headings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tome/documents/readers/page_lines.h"
#include "tome/documents/readers/page_statistics.h"

namespace tome {

struct SectionStart {
  int level = 1;
  std::string title = {};  // of the outline; empty where the lines themselves are the heading
  int64_t page = 0;        // index
  size_t first_line = 0;   // the section begins before this line of the page
  size_t end_line = 0;     // [first_line, end_line) is its heading; empty where it was not found
};

// In the order of the document: by page, then by line. Entries whose destination lies before that
// of an earlier one begin where the earlier one does.
std::vector<SectionStart> PlaceOutline(const std::vector<std::vector<Line>>& pages,
                                       const std::vector<OutlineEntry>& outline);

// Headings by size: at least 1.15 times the body, short, in sizes that are rare in the document.
// Finds none rather than doubtful ones.
std::vector<SectionStart> FindLargeHeadings(const std::vector<std::vector<Line>>& pages,
                                            const TextStatistics& statistics);

}  // namespace tome
