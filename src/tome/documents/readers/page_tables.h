// Which lines are not prose: listings in fixed pitch and rows of tables, both kept line by line.
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

// The lines [begin, end) of a listing with their indentation.
std::vector<std::string> CodeText(const std::vector<Line>& lines, size_t begin, size_t end);

// The lines [begin, end) of a table, cells divided by " | ".
std::vector<std::string> TableText(const std::vector<Line>& lines, size_t begin, size_t end);

}  // namespace tome
