#include "tome/documents/readers/page_tables.h"

#include <algorithm>
#include <cmath>

#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr size_t kRowsApart = 2;  // a wrapped cell may stand between two rows

// A row with a wrapped cell lacks that column, so this many rows near it are searched.
constexpr size_t kRowsSearched = 6;

// Rows of a table are rarely further apart than this many usual distances.
constexpr float kMaxRowDistance = 2.0F;
constexpr float kAlignedEm = 0.4F;
constexpr long kMaxIndent = 200;  // spaces

bool Aligned(float a, float b, float em) { return std::abs(a - b) <= kAlignedEm * em; }

// Returns whether a later cell of one line starts where a later cell of the other does.
bool SharesColumn(const Line& a, const Line& b) {
  for (size_t i = 1; i < a.cell_lefts.size(); ++i) {
    for (size_t j = 1; j < b.cell_lefts.size(); ++j) {
      if (Aligned(a.cell_lefts[i], b.cell_lefts[j], a.font_size)) return true;
    }
  }
  return false;
}

// Returns whether a line of one cell continues a cell of the row: it stands under a later column,
// or under the first and ends before the second.
bool FitsUnder(const Line& line, const Line& row) {
  for (size_t i = 1; i < row.cell_lefts.size(); ++i) {
    if (Aligned(line.box.left, row.cell_lefts[i], line.font_size)) return true;
  }
  return row.cell_lefts.size() > 1 && Aligned(line.box.left, row.cell_lefts[0], line.font_size) &&
         line.box.right < row.cell_lefts[1];
}

bool Neighbours(const Line& a, const Line& b, const TextStatistics& statistics) {
  return a.region == b.region && !a.turned && !b.turned &&
         std::abs(b.base - a.base) <= kMaxRowDistance * statistics.LineDistance(a.font_size);
}

// Returns whether line i continues the paragraph before it. A line of a paragraph may consist of
// one long file name.
bool RunsOnInProse(const std::vector<Line>& lines, size_t i, const TextStatistics& statistics) {
  const Line& line = lines[i];
  const auto joins = [&](const Line& other) {
    return other.region == line.region && !other.mono &&
           std::abs(other.font_size - line.font_size) < 0.02F * line.font_size &&
           std::abs(other.base - line.base) <= 1.1F * statistics.LineDistance(line.font_size);
  };
  const bool before = i > 0 && joins(lines[i - 1]) &&
                      line.region_right - lines[i - 1].box.right < line.first_word_width;
  return before && lines[i - 1].cells.empty();
}

}  // namespace

std::vector<LineKind> FindLineKinds(const std::vector<Line>& lines,
                                    const TextStatistics& statistics) {
  std::vector<LineKind> kinds(lines.size(), LineKind::kProse);
  for (size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    if (line.turned) continue;
    if (line.leader) kinds[i] = LineKind::kTable;
    for (size_t j = i + 1; j < std::min(lines.size(), i + 1 + kRowsApart); ++j) {
      if (!Neighbours(line, lines[j], statistics) || (line.mono && lines[j].mono)) continue;
      if (SharesColumn(line, lines[j])) kinds[i] = kinds[j] = LineKind::kTable;
    }
    if (line.mono && kinds[i] == LineKind::kProse && !RunsOnInProse(lines, i, statistics)) {
      kinds[i] = LineKind::kCode;
    }
  }
  // Cells run on below the row that they belong to (forward pass) and above it (backward pass).
  const auto absorb = [&](size_t i, size_t row) {
    if (kinds[row] != LineKind::kTable || kinds[i] == LineKind::kTable) return;
    if (!Neighbours(lines[i], lines[row], statistics)) return;
    for (size_t k = 0; k < kRowsSearched; ++k) {
      const size_t shown = i > row ? row - k : row + k;  // wraps around below 0
      if (shown >= lines.size() || kinds[shown] != LineKind::kTable) return;
      if (!FitsUnder(lines[i], lines[shown])) continue;
      kinds[i] = LineKind::kTable;
      return;
    }
  };
  for (size_t i = 1; i < lines.size(); ++i) absorb(i, i - 1);
  for (size_t i = lines.size(); i-- > 1;) absorb(i - 1, i);
  return kinds;
}

std::vector<std::string> CodeText(const std::vector<Line>& lines, size_t begin, size_t end) {
  float left = lines[begin].box.left;
  for (size_t i = begin; i < end; ++i) left = std::min(left, lines[i].box.left);
  std::vector<std::string> text;
  for (size_t i = begin; i < end; ++i) {
    const Line& line = lines[i];
    const auto letters = static_cast<float>(std::max<uint64_t>(CountCodePoints(line.code), 1));
    const float pitch = std::max(line.box.width() / letters, 1.0F);
    const long indent = std::clamp(std::lround((line.box.left - left) / pitch), 0L, kMaxIndent);
    text.push_back(std::string(static_cast<size_t>(indent), ' ') + line.code);
  }
  return text;
}

std::vector<std::string> TableText(const std::vector<Line>& lines, size_t begin, size_t end) {
  std::vector<std::string> text;
  for (size_t i = begin; i < end; ++i) {
    if (lines[i].cells.empty()) {
      text.push_back(lines[i].text);
      continue;
    }
    std::string row;
    for (const std::string& cell : lines[i].cells) {
      if (cell.empty()) continue;
      if (!row.empty()) row += " | ";
      row += cell;
    }
    text.push_back(std::move(row));
  }
  return text;
}

}  // namespace tome
