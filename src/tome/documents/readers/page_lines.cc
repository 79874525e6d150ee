#include "tome/documents/readers/page_lines.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "tome/text/unicode.h"

namespace tome {
namespace {

// White space this wide divides the cells of a table. An em and a half is rare in justified text.
constexpr float kCellGapEm = 1.5F;
// Limits the spaces in a line of code, which may have a deep indent or a comment far to the right.
constexpr int kMaxCodeSpaces = 200;

bool IsHangul(char32_t c) {
  return (c >= 0x1100 && c <= 0x11FF) || (c >= 0x3130 && c <= 0x318F) ||
         (c >= 0xAC00 && c <= 0xD7FF);
}

bool IsFullWidthPunctuation(char32_t c) {
  return (c >= 0x3000 && c <= 0x303F) || (c >= 0xFF01 && c <= 0xFF0F) ||
         (c >= 0xFF1A && c <= 0xFF20) || (c >= 0xFF3B && c <= 0xFF40) ||
         (c >= 0xFF5B && c <= 0xFF65) || c == 0x30FB || c == 0x30FC;
}

// Returns true for marks that Latin and CJK text share: “ ” ‘ ’ … — and ASCII marks. Bullets are
// not among them.
bool IsSharedPunctuation(char32_t c) {
  return (c >= 0x2010 && c <= 0x2027 && c != 0x2022 && c != 0x2023) || c == 0xB7 || c == '.' ||
         c == ',' || c == ';' || c == ':' || c == '!' || c == '?' || c == ')' || c == '(' ||
         c == ']' || c == '[' || c == '"' || c == '\'' || c == '%';
}

bool IsLeaderWord(std::string_view text) {
  return !text.empty() && text.find_first_not_of('.') == std::string_view::npos;
}

// Builds one Line from the words of a row, left to right.
class LineBuilder {
 public:
  explicit LineBuilder(const Region& region, size_t index) {
    line_.region = index;
    line_.region_left = region.left;
    line_.region_right = region.right;
    line_.bold = true;
    line_.mono = true;
  }

  void Add(const Word& word, bool starts_segment) {
    const float em = std::max(word.font_size, 1.0F);
    const float gap = before_ == nullptr ? 0 : (word.box.left - before_->box.right) / em;
    const bool wide =
        EndsLeader(word) || (before_ != nullptr && starts_segment && gap >= kCellGapEm);
    const bool space =
        before_ != nullptr && (starts_segment || before_->space_after || gap > 0.25F);
    AddCode(word, space);
    if (before_ == nullptr) {
      line_.box = word.box;
    } else {
      Unite(word.box, line_.box);
    }
    if (cell_.empty()) {
      cell_left_ = word.box.left;
    } else if (wide) {
      EndCell();
      cell_left_ = word.box.left;
    } else if (space) {
      cell_ += Joint(cell_, word.text, gap);
    }
    cell_ += word.text;
    MeasureFirstWord(word, space);
    line_.letters += word.text.size();
    line_.bold = line_.bold && word.bold;
    line_.mono = line_.mono && word.mono;
    before_ = &word;
  }

  Line Finish(const std::vector<Segment>& segments, const Row& row) && {
    EndCell();
    size_t best = 0;
    for (const size_t index : row.segments) {
      const Segment& segment = segments[index];
      size_t weight = 0;
      for (size_t w = segment.first_word; w < segment.end_word; ++w) ++weight;
      if (weight > best) {
        best = weight;
        line_.font_size = segment.font_size;
      }
      line_.turned = line_.turned || segment.turned;
    }
    line_.base = row.box.bottom;
    line_.first_word_width = first_word_right_ - line_.box.left;
    if (!line_.mono) line_.code.clear();
    for (const std::string& cell : line_.cells) {
      if (!line_.text.empty()) line_.text += Joint(line_.text, cell, kCellGapEm);
      line_.text += cell;
    }
    if (line_.cells.size() < 2) {
      line_.cells.clear();
      line_.cell_lefts.clear();
    }
    return std::move(line_);
  }

 private:
  void EndCell() {
    if (cell_.empty()) return;
    line_.cells.push_back(std::exchange(cell_, {}));
    line_.cell_lefts.push_back(cell_left_);
  }

  // Returns whether `word` ends a leader: four words of dots, or one of four dots. Such a word
  // begins a cell of its own.
  bool EndsLeader(const Word& word) {
    if (IsLeaderWord(word.text)) {
      leader_dots_ += word.text.size();
      return false;
    }
    const bool led = std::exchange(leader_dots_, 0) >= 4;
    if (led) {
      const size_t last = cell_.find_last_not_of(" .");
      cell_.resize(last == std::string::npos ? 0 : last + 1);
      line_.leader = true;
    }
    return led;
  }

  void AddCode(const Word& word, bool space) {
    if (!line_.mono || !word.mono) return;
    if (before_ != nullptr) {
      const auto count = static_cast<float>(CountCodePoints(word.text));
      const float pitch = std::max(word.box.width() / count, 1.0F);
      const long spaces = std::lround((word.box.left - before_->box.right) / pitch);
      line_.code.append(
          static_cast<size_t>(std::clamp<long>(spaces, space ? 1 : 0, kMaxCodeSpaces)), ' ');
    }
    line_.code += word.text;
  }

  // Measures the first word, which ends at the first space. Of CJK text it is two characters, which
  // could have stood on the line before.
  void MeasureFirstWord(const Word& word, bool space) {
    if (first_word_ended_) return;
    if (before_ != nullptr && space) {
      first_word_ended_ = true;
      return;
    }
    first_word_right_ = word.box.right;
    if (IsWideText(FirstCodePoint(word.text))) {
      first_word_right_ = std::min(first_word_right_, word.box.left + 2 * word.font_size);
      first_word_ended_ = true;
    }
  }

  Line line_;
  const Word* before_ = nullptr;
  std::string cell_;
  float cell_left_ = 0;
  size_t leader_dots_ = 0;
  float first_word_right_ = 0;
  bool first_word_ended_ = false;
};

Line LineOf(const PageWords& page, const std::vector<Segment>& segments, const Row& row,
            const Region& region, size_t region_index) {
  LineBuilder builder(region, region_index);
  for (const size_t index : row.segments) {
    const Segment& segment = segments[index];
    for (size_t w = segment.first_word; w < segment.end_word; ++w) {
      builder.Add(page.words[w], w == segment.first_word);
    }
  }
  return std::move(builder).Finish(segments, row);
}

}  // namespace

bool IsWideText(char32_t c) { return (IsCjk(c) && !IsHangul(c)) || IsFullWidthPunctuation(c); }

char32_t FirstCodePoint(std::string_view text) {
  uint64_t offset = 0;
  return NextCodePoint(text, offset);
}

char32_t LastCodePoint(std::string_view text) {
  uint64_t offset = FloorToCodePoint(text, text.size() - 1);
  return NextCodePoint(text, offset);
}

std::string_view Joint(std::string_view before, std::string_view after, float gap_em) {
  if (before.empty() || after.empty()) return "";
  const char32_t a = LastCodePoint(before);
  const char32_t b = FirstCodePoint(after);
  // A wide gap inside a line was meant. A smaller gap may only set the two characters of a name
  // apart.
  if (gap_em > 1.2F) return " ";
  if (before == "–" || before == "—") return " ";  // the dash of a list item
  if (IsWideText(a) && IsWideText(b)) return "";
  if (IsFullWidthPunctuation(a) || IsFullWidthPunctuation(b)) return "";
  if (IsWideText(a) && IsSharedPunctuation(b)) return "";
  if (IsSharedPunctuation(a) && IsWideText(b)) return "";
  return " ";
}

std::vector<Line> FindLines(const PageWords& page, const std::vector<Segment>& segments,
                            const std::vector<bool>& is_furniture) {
  std::vector<size_t> members;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (!is_furniture[i]) members.push_back(i);
  }
  std::vector<Line> lines;
  const std::vector<Region> regions = FindRegions(page, segments, members);
  for (size_t r = 0; r < regions.size(); ++r) {
    if (segments[regions[r].segments[0]].turned) {
      for (const size_t index : regions[r].segments) {
        const Row row{.segments = {index}, .box = segments[index].box};
        lines.push_back(LineOf(page, segments, row, regions[r], r));
      }
      continue;
    }
    for (const Row& row : FindRows(segments, regions[r].segments)) {
      lines.push_back(LineOf(page, segments, row, regions[r], r));
    }
  }
  return lines;
}

}  // namespace tome
