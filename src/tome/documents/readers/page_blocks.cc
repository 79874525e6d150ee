#include "tome/documents/readers/page_blocks.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tome/documents/readers/page_tables.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr std::array<std::string_view, 12> kClosing{"\"", "'",  ")",  "”", "’",  "」",
                                                    "』", "）", "》", "]", "】", "〉"};

constexpr std::array<std::string_view, 9> kTerminal{".",  "!",  "?",  ":", "。",
                                                    "！", "？", "：", "…"};

constexpr std::array<std::string_view, 10> kBullets{"•", "▪", "◦", "‣", "·",
                                                    "●", "■", "○", "◆", "✓"};

// A distance larger than the usual one by this factor is white space between blocks.
constexpr float kBlockGap = 1.18F;
constexpr float kIndentEm = 0.8F;
// A line is short if the first word of the next line and this much more would have fitted.
constexpr float kFitEm = 1.25F;
// In the middle of a sentence, only a line shorter by this part of its width ends a paragraph.
// Ragged and loosely set lines fall short by less.
constexpr float kShortLine = 0.25F;
// Sizes that differ by less are one size, because a line may have much of its text in another font.
constexpr float kSizeTolerance = 0.08F;

bool SameSize(float a, float b) { return std::abs(a - b) <= kSizeTolerance * std::max(a, b); }

bool IsBullet(std::string_view text) {
  return std::any_of(kBullets.begin(), kBullets.end(),
                     [&](std::string_view bullet) { return text.starts_with(bullet); });
}

bool EndsSentence(std::string_view text) {
  bool stripped = true;
  while (stripped) {
    stripped = false;
    for (const std::string_view mark : kClosing) {
      if (!text.ends_with(mark)) continue;
      text.remove_suffix(mark.size());
      stripped = true;
    }
  }
  return text.empty() || std::any_of(kTerminal.begin(), kTerminal.end(),
                                     [&](std::string_view mark) { return text.ends_with(mark); });
}

class BlockFinder {
 public:
  BlockFinder(const std::vector<Line>& lines, const std::vector<int>& heading_of,
              const TextStatistics& statistics, const Vocabulary& vocabulary)
      : lines_(lines),
        heading_of_(heading_of),
        statistics_(statistics),
        vocabulary_(vocabulary),
        kinds_(FindLineKinds(lines, statistics)) {}

  std::vector<Block> Find() {
    for (size_t i = 0; i < lines_.size();) {
      size_t end = i + 1;
      if (heading_of_[i] != kNoHeading) {
        while (end < lines_.size() && heading_of_[end] == heading_of_[i]) ++end;
        AddText(BlockKind::kHeading, i, end, lines_[i].region_right);
      } else if (kinds_[i] != LineKind::kProse) {
        while (end < lines_.size() && !Divides(end)) ++end;
        AddLines(i, end);
      } else {
        while (end < lines_.size() && !Divides(end)) ++end;
        AddParagraphs(i, end);
      }
      i = end;
    }
    return std::move(blocks_);
  }

 private:
  // Returns whether a run ends before line i, judged by this line and the one before it.
  bool Divides(size_t i) const {
    const Line& before = lines_[i - 1];
    const Line& line = lines_[i];
    if (heading_of_[i] != kNoHeading || kinds_[i] != kinds_[i - 1]) return true;
    if (before.region != line.region || line.turned || before.turned) return true;
    const float distance = line.base - before.base;
    const float usual = statistics_.LineDistance(std::max(before.font_size, line.font_size));
    if (kinds_[i] != LineKind::kProse) return distance > 2 * usual;
    return distance > kBlockGap * usual + 0.5F || !SameSize(before.font_size, line.font_size) ||
           before.bold != line.bold;
  }

  // Returns the right edge of a run, where several of its lines end. A run too small to show it
  // takes the edge of its column.
  float RightEdge(size_t begin, size_t end) const {
    float right = lines_[begin].box.right;
    for (size_t i = begin; i < end; ++i) right = std::max(right, lines_[i].box.right);
    size_t there = 0;
    for (size_t i = begin; i < end; ++i) {
      there += right - lines_[i].box.right < 0.5F * lines_[i].font_size ? 1 : 0;
    }
    const bool shown = there >= 2 || end - begin >= 4;
    return shown ? right : std::max(right, lines_[begin].region_right);
  }

  void AddParagraphs(size_t begin, size_t end) {
    const float right = RightEdge(begin, end);
    // Titles are centred or broken by sense, so a short line says nothing there.
    const bool title = lines_[begin].font_size > 1.15F * statistics_.body_size();
    size_t first = begin;
    for (size_t i = begin + 1; i < end; ++i) {
      if (!title && StartsParagraph(first, i, end, right)) {
        AddText(BlockKind::kParagraph, first, i, right);
        first = i;
      }
    }
    AddText(BlockKind::kParagraph, first, end, right);
  }

  // Returns whether line i, in a run that ends at `end`, starts a new paragraph after the one that
  // begins at `first`.
  bool StartsParagraph(size_t first, size_t i, size_t end, float right) const {
    const Line& before = lines_[i - 1];
    const Line& line = lines_[i];
    const float em = line.font_size;
    const float slack = right - before.box.right;
    if (slack > line.first_word_width + kFitEm * em &&
        (EndsSentence(before.text) || slack > kShortLine * (right - line.box.left))) {
      return true;
    }
    const float step = line.box.left - before.box.left;
    const bool item = StartsItem(line.text);
    if (item && (IsBullet(line.text) || step < -kIndentEm * em / 2 ||
                 (StartsItem(lines_[first].text) &&
                  std::abs(line.box.left - lines_[first].box.left) < em / 2))) {
      return true;
    }
    if (i - first >= 2) {
      // After the second line the left edge is settled: both an indent and an outdent stand out.
      return std::abs(step) > kIndentEm * em;
    }
    const bool first_is_indented = step < -kIndentEm * em;
    if (first_is_indented) return false;
    // A line deeper than its only predecessor is a hanging indent, unless the next line goes back.
    return step > kIndentEm * em && !StartsItem(before.text) && i + 1 < end &&
           line.box.left - lines_[i + 1].box.left > kIndentEm * em;
  }

  void AddText(BlockKind kind, size_t begin, size_t end, float right) {
    Block block{.kind = kind, .first_line = begin, .end_line = end, .right = right};
    for (size_t i = begin; i < end; ++i) JoinLine(vocabulary_, lines_[i].text, block.text);
    blocks_.push_back(std::move(block));
  }

  void AddLines(size_t begin, size_t end) {
    blocks_.push_back({.kind = BlockKind::kLines,
                       .first_line = begin,
                       .end_line = end,
                       .lines = kinds_[begin] == LineKind::kCode ? CodeText(lines_, begin, end)
                                                                 : TableText(lines_, begin, end),
                       .right = lines_[begin].region_right});
  }

  const std::vector<Line>& lines_;
  const std::vector<int>& heading_of_;
  const TextStatistics& statistics_;
  const Vocabulary& vocabulary_;
  std::vector<LineKind> kinds_;
  std::vector<Block> blocks_;
};

}  // namespace

bool StartsItem(std::string_view text) {
  if (IsBullet(text)) return true;
  const std::string_view first = text.substr(0, text.find(' '));
  if (first.size() == text.size()) return false;
  if (first == "-" || first == "–" || first == "—" || first == "*" || first == "+") return true;
  std::string_view number = first;
  if (number.starts_with('(')) number.remove_prefix(1);
  if (number.size() < 2 || number.size() > 5) return false;
  if (number.back() != '.' && number.back() != ')') return false;
  number.remove_suffix(1);
  if (number.find_first_not_of("0123456789.") == std::string_view::npos) return true;
  return number.size() == 1 && first.front() == '(';
}

std::vector<Block> FindBlocks(const std::vector<Line>& lines, const std::vector<int>& heading_of,
                              const TextStatistics& statistics, const Vocabulary& vocabulary) {
  return BlockFinder(lines, heading_of, statistics, vocabulary).Find();
}

bool RunsOn(const Block& before, const std::vector<Line>& before_lines, const Block& after,
            const std::vector<Line>& after_lines) {
  if (before.kind != BlockKind::kParagraph || after.kind != BlockKind::kParagraph) return false;
  const Line& last = before_lines[before.end_line - 1];
  const Line& first = after_lines[after.first_line];
  if (last.turned || first.turned || last.bold != first.bold) return false;
  if (!SameSize(last.font_size, first.font_size) || StartsItem(first.text)) return false;
  const float em = first.font_size;
  if (before.right - last.box.right > first.first_word_width + kFitEm * em) return false;
  const float indent = first.box.left - first.region_left;
  const float last_indent = last.box.left - last.region_left;
  const bool last_is_first = before.end_line - before.first_line == 1;
  const bool aligned = std::abs(first.box.left - last.box.left) < kIndentEm * em ||
                       std::abs(indent - last_indent) < kIndentEm * em ||
                       (last_is_first && indent < last_indent);
  if (!aligned) return false;
  if (after.end_line - after.first_line > 1 &&
      first.box.left - after_lines[after.first_line + 1].box.left > kIndentEm * em) {
    return false;
  }
  const char32_t start = FirstCodePoint(first.text);
  const bool lower = start >= 'a' && start <= 'z';
  return lower || !EndsSentence(before.text);
}

}  // namespace tome
