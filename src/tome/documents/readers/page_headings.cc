#include "tome/documents/readers/page_headings.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>

#include "tome/text/unicode.h"

namespace tome {
namespace {

constexpr size_t kTopLines = 3;  // a destination at the very bottom means the next page

constexpr size_t kMaxHeadingLines = 4;
// Limits the numbering ("Chapter 12", "Appendix A.3", "第十二章") that the page may show before a
// title that leaves it out.
constexpr size_t kMaxNumberBytes = 16;

// Returns the letters and digits of `text`, ASCII in lower case. Titles and lines are compared by
// them.
std::string KeyOf(std::string_view text) {
  std::string key;
  uint64_t offset = 0;
  while (offset < text.size()) {
    const char32_t c = NextCodePoint(text, offset);
    if (c >= 'A' && c <= 'Z') {
      key += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || IsCjk(c) ||
               (c >= 0xC0 && c < 0x2000)) {
      AppendUtf8(c, key);
    }
  }
  return key;
}

bool IsNumbering(std::string_view key) {
  if (key.empty() || key.size() > kMaxNumberBytes) return false;
  if (key.find_first_of("0123456789") != std::string_view::npos) return true;
  return key.starts_with("chapter") || key.starts_with("appendix") || key.starts_with("part") ||
         key.starts_with("第") || key.starts_with("附录") || key.size() == 1;
}

bool Matches(std::string_view shown, std::string_view wanted) {
  if (shown == wanted) return true;
  return shown.size() > wanted.size() && shown.ends_with(wanted) &&
         IsNumbering(shown.substr(0, shown.size() - wanted.size()));
}

// Returns the end of the heading that starts at line `first` and shows `wanted`, or nullopt.
std::optional<size_t> HeadingEnd(const std::vector<Line>& lines, size_t first,
                                 std::string_view wanted) {
  std::string shown;
  for (size_t end = first; end < std::min(lines.size(), first + kMaxHeadingLines); ++end) {
    if (lines[end].region != lines[first].region || lines[end].leader) return std::nullopt;
    shown += KeyOf(lines[end].text);
    if (Matches(shown, wanted)) return end + 1;
    if (shown.size() > wanted.size() + kMaxNumberBytes) return std::nullopt;
  }
  return std::nullopt;
}

// Returns the first line of the heading. A line above the title that only numbers it ("Chapter 2")
// belongs to the heading.
size_t WithNumberLine(const std::vector<Line>& lines, size_t first) {
  if (first == 0) return first;
  const Line& line = lines[first];
  const Line& above = lines[first - 1];
  const bool near = line.base - above.base < 6 * line.font_size && above.region == line.region;
  const bool alike = above.font_size > 0.7F * line.font_size;
  const std::string key = KeyOf(above.text);
  return near && alike && IsNumbering(key) && (key.size() > 3 || above.bold) ? first - 1 : first;
}

// Searches the lines [begin, end) for a heading that shows `wanted`.
std::optional<SectionStart> FindOn(const std::vector<Line>& lines, size_t begin, size_t end,
                                   std::string_view wanted) {
  for (size_t i = begin; i < std::min(end, lines.size()); ++i) {
    const std::optional<size_t> heading_end = HeadingEnd(lines, i, wanted);
    if (!heading_end) continue;
    const size_t first = i > begin ? WithNumberLine(lines, i) : i;
    return SectionStart{.first_line = first, .end_line = *heading_end};
  }
  return std::nullopt;
}

size_t FirstLineBelow(const std::vector<Line>& lines, float y) {
  size_t i = 0;
  while (i < lines.size() && lines[i].box.bottom < y) ++i;
  return i;
}

SectionStart PlaceEntry(const std::vector<std::vector<Line>>& pages, const OutlineEntry& entry,
                        const SectionStart& previous) {
  const auto page = static_cast<size_t>(
      std::clamp<int64_t>(entry.page, 0, static_cast<int64_t>(pages.size()) - 1));
  const std::string wanted = KeyOf(entry.title);
  const std::vector<Line>& lines = pages[page];
  const size_t below = entry.y < 0 ? 0 : FirstLineBelow(lines, entry.y - 2);
  const size_t after = previous.page == static_cast<int64_t>(page) ? previous.end_line : 0;
  std::optional<SectionStart> found;
  int64_t found_page = static_cast<int64_t>(page);
  if (!wanted.empty()) {
    found = FindOn(lines, std::max(below, after), lines.size(), wanted);
    if (!found) found = FindOn(lines, after, lines.size(), wanted);
    if (!found && page + 1 < pages.size() && below + 1 >= lines.size()) {
      found = FindOn(pages[page + 1], 0, kTopLines, wanted);
      if (found) ++found_page;
    }
  }
  const size_t unseen = std::max(below, after);
  SectionStart start = found.value_or(SectionStart{.first_line = unseen, .end_line = unseen});
  start.page = found_page;
  start.level = entry.level;
  start.title = entry.title;
  return start;
}

bool IsBefore(const SectionStart& a, const SectionStart& b) {
  return a.page != b.page ? a.page < b.page : a.first_line < b.first_line;
}

bool HasLetter(std::string_view key) {
  return std::any_of(key.begin(), key.end(), [](char c) { return c < '0' || c > '9'; });
}

bool LooksLikeHeading(const Line& line, const TextStatistics& statistics) {
  return line.font_size >= 1.15F * statistics.body_size() && line.text.size() <= 200 &&
         line.cells.empty() && !line.mono && !line.turned &&
         statistics.Share(line.font_size) < 0.1F && HasLetter(KeyOf(line.text));
}

}  // namespace

std::vector<SectionStart> PlaceOutline(const std::vector<std::vector<Line>>& pages,
                                       const std::vector<OutlineEntry>& outline) {
  std::vector<SectionStart> starts;
  if (pages.empty()) return starts;
  SectionStart previous;
  for (const OutlineEntry& entry : outline) {
    SectionStart start = PlaceEntry(pages, entry, previous);
    if (IsBefore(start, previous)) {
      start.page = previous.page;
      start.first_line = start.end_line = previous.end_line;
    }
    previous = start;
    starts.push_back(std::move(start));
  }
  return starts;
}

std::vector<SectionStart> FindLargeHeadings(const std::vector<std::vector<Line>>& pages,
                                            const TextStatistics& statistics) {
  std::vector<SectionStart> starts;
  std::map<int, int> levels;  // half points, negative so that the largest comes first -> level
  const auto size_key = [](const Line& line) {
    return -static_cast<int>(std::lround(line.font_size * 2));
  };
  size_t n_lines = 0;
  for (size_t p = 0; p < pages.size(); ++p) {
    const std::vector<Line>& lines = pages[p];
    n_lines += lines.size();
    for (size_t i = 0; i < lines.size();) {
      size_t end = i + 1;
      if (LooksLikeHeading(lines[i], statistics)) {
        while (end < lines.size() && LooksLikeHeading(lines[end], statistics) &&
               size_key(lines[end]) == size_key(lines[i]) && lines[end].region == lines[i].region &&
               lines[end].base - lines[end - 1].base < 1.6F * lines[i].font_size) {
          ++end;
        }
        if (end - i <= kMaxHeadingLines) {
          starts.push_back({.level = size_key(lines[i]),
                            .page = static_cast<int64_t>(p),
                            .first_line = i,
                            .end_line = end});
          levels[size_key(lines[i])] = 0;
        }
      }
      i = end;
    }
  }
  // Headings on more than a fifth of the lines are no headings, and more than six sizes mean a
  // poster.
  if (starts.size() * 5 > n_lines || levels.size() > 6) return {};
  int next = 1;
  for (auto& [size, level] : levels) level = next++;
  for (SectionStart& start : starts) start.level = levels[start.level];
  return starts;
}

}  // namespace tome
