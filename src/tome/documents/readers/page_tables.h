// FindLineKinds finds the lines that are not prose: listings in fixed pitch and rows of tables.
// Both are kept line by line.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tome/documents/readers/page_lines.h"
#include "tome/documents/readers/page_statistics.h"

namespace tome {

enum class LineKind { kProse, kCode, kTable };

std::vector<LineKind> FindLineKinds(const std::vector<Line>& lines,
                                    const TextStatistics& statistics);

// Returns the lines [begin, end) of a listing with their indentation.
std::vector<std::string> CodeText(const std::vector<Line>& lines, size_t begin, size_t end);

// Returns the lines [begin, end) of a table, with cells divided by " | ".
std::vector<std::string> TableText(const std::vector<Line>& lines, size_t begin, size_t end);

}  // namespace tome
