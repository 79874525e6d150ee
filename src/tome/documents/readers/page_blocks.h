// FindBlocks finds the blocks of a page: paragraphs, listings, rows of tables, headings. Blocks are
// divided by the signs that divide them for the eye: white space, indents, bullets, a short last
// line, another size or face.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tome/documents/readers/hyphenation.h"
#include "tome/documents/readers/page_lines.h"
#include "tome/documents/readers/page_statistics.h"

namespace tome {

enum class BlockKind { kParagraph, kHeading, kLines };

struct Block {
  BlockKind kind = BlockKind::kParagraph;
  size_t first_line = 0;  // indices into the page's lines
  size_t end_line = 0;
  std::string text = {};                // text of a paragraph or heading
  std::vector<std::string> lines = {};  // lines of a listing or table
  float right = 0;                      // points; where its full lines end
};

// Marks a line that belongs to no heading.
inline constexpr int kNoHeading = -1;

// `heading_of[i]` is the same number, at least 0, for all lines of one heading, and kNoHeading for
// all other lines.
std::vector<Block> FindBlocks(const std::vector<Line>& lines, const std::vector<int>& heading_of,
                              const TextStatistics& statistics, const Vocabulary& vocabulary);

// Returns whether the paragraph `before`, the last of its column, runs on in `after`, the first of
// the next column.
bool RunsOn(const Block& before, const std::vector<Line>& before_lines, const Block& after,
            const std::vector<Line>& after_lines);

// Returns whether the text begins like an item of a list: a bullet, "3.", "(a)".
bool StartsItem(std::string_view text);

}  // namespace tome
