// PlaceOutline and FindLargeHeadings find where sections begin. Each entry of the outline is placed
// at the line of the page that shows its title. Without an outline, lines set clearly larger than
// the body are headings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tome/documents/readers/page_lines.h"
#include "tome/documents/readers/page_statistics.h"

namespace tome {

struct SectionStart {
  int level = 1;
  std::string title = {};  // outline title; empty where the lines themselves are the heading
  int64_t page = 0;        // index
  size_t first_line = 0;   // the section begins before this line of the page
  size_t end_line = 0;     // [first_line, end_line) is its heading; empty where it was not found
};

// Returns the starts in the order of the document: by page, then by line. An entry whose
// destination lies before the start of an earlier entry begins right after the heading of that
// entry.
std::vector<SectionStart> PlaceOutline(const std::vector<std::vector<Line>>& pages,
                                       const std::vector<OutlineEntry>& outline);

// Finds headings by size: at least 1.15 times the body size, short, in sizes that are rare in the
// document. Returns no headings rather than doubtful ones.
std::vector<SectionStart> FindLargeHeadings(const std::vector<std::vector<Line>>& pages,
                                            const TextStatistics& statistics);

}  // namespace tome
