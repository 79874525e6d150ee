#include "tome/documents/readers/html_blocks.h"

#include <algorithm>
#include <utility>

#include "tome/text/unicode.h"

namespace tome {
namespace {

bool IsHtmlSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

bool IsHangul(char32_t c) {
  return (c >= 0x1100 && c <= 0x11FF) || (c >= 0x3131 && c <= 0x318E) ||
         (c >= 0xA960 && c <= 0xA97F) || (c >= 0xAC00 && c <= 0xD7FF) ||
         (c >= 0xFFA0 && c <= 0xFFDC);
}

// Returns true for characters of scripts written without spaces, punctuation included. Korean has
// spaces between words.
bool JoinsWithoutSpace(char32_t c) {
  return (IsCjk(c) && !IsHangul(c)) || (c >= 0x3001 && c <= 0x303F) || (c >= 0xFF01 && c <= 0xFF65);
}

// Returns true for punctuation that Chinese shares with the West. Such a mark joins without a space
// where the character on its other side does.
bool IsSharedMark(char32_t c) {
  return std::u32string_view(U"“”‘’—…·").find(c) != std::u32string_view::npos;
}

bool NeedsNoSpace(char32_t before, char32_t after) {
  return (JoinsWithoutSpace(before) && (JoinsWithoutSpace(after) || IsSharedMark(after))) ||
         (IsSharedMark(before) && JoinsWithoutSpace(after));
}

char32_t LastCodePoint(std::string_view utf8) {
  uint64_t i = FloorToCodePoint(utf8, utf8.size() - 1);
  return NextCodePoint(utf8, i);
}

}  // namespace

std::string CollapseHtmlSpace(std::string_view utf8) {
  std::string joined;
  joined.reserve(utf8.size());
  size_t i = 0;
  while (i < utf8.size()) {
    const size_t begin = i;
    while (i < utf8.size() && !IsHtmlSpace(utf8[i])) ++i;
    joined.append(utf8, begin, i - begin);
    bool has_line_end = false;
    const size_t space = i;
    for (; i < utf8.size() && IsHtmlSpace(utf8[i]); ++i) has_line_end |= utf8[i] == '\n';
    if (i == space) break;
    uint64_t after = i;
    const bool drops = has_line_end && !joined.empty() && i < utf8.size() &&
                       NeedsNoSpace(LastCodePoint(joined), NextCodePoint(utf8, after));
    if (!drops) joined += ' ';
  }
  return CollapseWhiteSpace(joined);  // for the rare kinds of space and for both ends
}

void HtmlBlocks::Text(std::string_view text) { run_.append(text); }

void HtmlBlocks::Image(std::string_view alternative) {
  // "[Tip]" is how DocBook writes an icon.
  if (alternative.starts_with('[') && alternative.ends_with(']')) return;
  if (!alternative_.empty()) alternative_ += ' ';
  alternative_.append(alternative);
}

void HtmlBlocks::EndLine() {
  if (preformatted_) {
    run_ += '\n';
    return;
  }
  if (in_row_) {
    run_ += ' ';
    return;
  }
  std::string line = CollapseHtmlSpace(std::exchange(run_, {}));
  if (line.empty()) {
    if (!lines_.empty()) EndBlock();
    return;
  }
  lines_.push_back(std::move(line));
}

std::string HtmlBlocks::TakePrefix() { return std::exchange(prefix_, {}); }

void HtmlBlocks::EndBlock() {
  if (preformatted_) {
    if (!run_.empty() && run_.back() != '\n') run_ += '\n';
    return;
  }
  std::string line = CollapseHtmlSpace(std::exchange(run_, {}));
  if (in_row_) {
    if (line.empty()) return;
    if (!cell_.empty()) cell_ += ' ';
    cell_ += TakePrefix() + line;
    return;
  }
  if (!line.empty()) lines_.push_back(std::move(line));
  FlushLines();
}

void HtmlBlocks::FlushLines() {
  if (lines_.empty()) {
    const std::string alternative = CollapseHtmlSpace(std::exchange(alternative_, {}));
    if (alternative.empty()) return;
    lines_.push_back(alternative);
  }
  alternative_.clear();
  lines_.front().insert(0, TakePrefix());
  if (lines_.size() == 1) {
    builder_.Paragraph(lines_.front());
  } else {
    builder_.EndBlock();
    for (const std::string& line : lines_) builder_.Line(line);
    builder_.EndBlock();
  }
  lines_.clear();
}

void HtmlBlocks::EndHeading(int level) {
  std::string title;
  for (const std::string& line : std::exchange(lines_, {})) title += line + ' ';
  title += CollapseHtmlSpace(std::exchange(run_, {}));
  if (CollapseWhiteSpace(title).empty()) title = alternative_;
  alternative_.clear();
  builder_.Heading(level, TakePrefix() + title);
}

void HtmlBlocks::EndLabel() {
  const std::string label = CollapseHtmlSpace(std::exchange(run_, {}));
  if (!label.empty()) Prefix(label + ": ");
}

void HtmlBlocks::Prefix(std::string_view prefix) {
  // Lists nested without text would otherwise pile up prefixes without end.
  constexpr size_t kMaxPrefix = 200;
  if (prefix_.size() < kMaxPrefix) prefix_ += prefix;
}

void HtmlBlocks::BeginPreformatted() {
  EndBlock();
  preformatted_ = true;
}

void HtmlBlocks::EndPreformatted() {
  preformatted_ = false;
  if (in_row_) return EndBlock();
  const std::string text = std::exchange(run_, {});
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return;
  std::string_view rest = text;
  builder_.EndBlock();
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    const bool is_blank = line.find_first_not_of(" \t\r") == std::string_view::npos;
    if (!is_blank) builder_.Line(TakePrefix().append(line));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  builder_.EndBlock();
}

void HtmlBlocks::BeginRow() {
  EndBlock();
  in_row_ = true;
}

void HtmlBlocks::EndCell() {
  if (!in_row_) return EndBlock();
  EndBlock();
  cells_.push_back(std::exchange(cell_, {}));
}

void HtmlBlocks::EndRow() {
  if (!in_row_) return;
  EndBlock();
  if (!cell_.empty()) cells_.push_back(std::exchange(cell_, {}));
  in_row_ = false;
  while (!cells_.empty() && cells_.back().empty()) cells_.pop_back();
  std::string line;
  for (size_t i = 0; i < cells_.size(); ++i) {
    if (i > 0) line += " | ";
    line += cells_[i];
  }
  cells_.clear();
  if (line.empty()) line = CollapseHtmlSpace(alternative_);
  alternative_.clear();
  if (!line.empty()) builder_.Line(TakePrefix() + line);
}

void HtmlBlocks::EndTable() {
  EndRow();
  builder_.EndBlock();
}

}  // namespace tome
