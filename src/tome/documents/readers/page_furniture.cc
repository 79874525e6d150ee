#include "tome/documents/readers/page_furniture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

namespace tome {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 13> kRomanParts{{{"m", 1000},
                                                                        {"cm", 900},
                                                                        {"d", 500},
                                                                        {"cd", 400},
                                                                        {"c", 100},
                                                                        {"xc", 90},
                                                                        {"l", 50},
                                                                        {"xl", 40},
                                                                        {"x", 10},
                                                                        {"ix", 9},
                                                                        {"v", 5},
                                                                        {"iv", 4},
                                                                        {"i", 1}}};

// Furniture stands in the outer part of the page, in at most this many rows at either end.
constexpr float kMarginPart = 0.17F;
constexpr size_t kMaxRows = 3;
// Headers alternate between left and right pages and change with the chapter. A row must therefore
// occur on kMinOccurrences of the pages at most kWindow away, its own included.
constexpr size_t kWindow = 4;
constexpr size_t kMinOccurrences = 3;
constexpr float kSamePlace = 3.0F;  // points

struct PrintedNumber {
  int value = 0;
  bool roman = false;
  std::string text = {};
};

struct EdgeRow {
  Row row = {};
  std::string key = {};  // its text with every number replaced by '#'
  std::vector<PrintedNumber> numbers = {};
  float distance = 0;  // from the top or the bottom edge of the page, points
  float gap = 0;       // to the next row inwards, points
  bool is_furniture = false;
};

// An Edge holds the rows at one end of all pages, [page][row], from the edge inwards.
using Edge = std::vector<std::vector<EdgeRow>>;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c < 0; }

// Appends `text` to the key, with numbers and stand-alone Roman numerals replaced by '#', and keeps
// their values.
void AddToKey(std::string_view text, EdgeRow& edge) {
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    if (IsDigit(text[i])) {
      while (end < text.size() && IsDigit(text[end])) ++end;
      if (end - i <= 6) {
        edge.numbers.push_back({.value = std::stoi(std::string(text.substr(i, end - i))),
                                .text = std::string(text.substr(i, end - i))});
      }
      edge.key += '#';
    } else if (IsLetter(text[i])) {
      while (end < text.size() && IsLetter(text[end])) ++end;
      const std::string_view word = text.substr(i, end - i);
      const int value = RomanValue(word);
      if (value > 0) {
        edge.numbers.push_back({.value = value, .roman = true, .text = std::string(word)});
      }
      edge.key += value > 0 ? std::string_view("#") : word;
    } else {
      edge.key += text[end++];
    }
    i = end;
  }
}

enum class PageEdge { kTop, kBottom };

std::vector<EdgeRow> RowsAtEdge(const SegmentedPage& page, const std::vector<Row>& rows,
                                PageEdge which) {
  const bool bottom = which == PageEdge::kBottom;
  std::vector<EdgeRow> edges;
  const float height = page.words.height;
  for (size_t i = 0; i < std::min(kMaxRows, rows.size()); ++i) {
    const Row& row = rows[bottom ? rows.size() - 1 - i : i];
    EdgeRow edge{.row = row};
    edge.distance = bottom ? height - row.box.bottom : row.box.top;
    if ((bottom ? height - row.box.top : row.box.bottom) > kMarginPart * height) break;
    edge.gap = height;
    if (i + 1 < rows.size()) {
      const Row& inner = rows[bottom ? rows.size() - 2 - i : i + 1];
      edge.gap = bottom ? row.box.top - inner.box.bottom : inner.box.top - row.box.bottom;
    }
    for (const size_t index : row.segments) {
      const Segment& segment = page.segments[index];
      for (size_t w = segment.first_word; w < segment.end_word; ++w) {
        AddToKey(page.words.words[w].text, edge);
      }
    }
    edges.push_back(std::move(edge));
  }
  return edges;
}

bool IsOnlyNumber(const EdgeRow& row) {
  return row.key.find('#') != std::string::npos &&
         std::none_of(row.key.begin(), row.key.end(), [](char c) { return IsLetter(c); });
}

bool CountsOn(const PrintedNumber& number, const EdgeRow& later, int pages_later) {
  return std::any_of(later.numbers.begin(), later.numbers.end(), [&](const PrintedNumber& other) {
    return number.roman == other.roman && other.value - number.value == pages_later;
  });
}

bool CountsOn(const EdgeRow& row, const EdgeRow& later, int pages_later) {
  return std::any_of(row.numbers.begin(), row.numbers.end(), [&](const PrintedNumber& number) {
    return CountsOn(number, later, pages_later);
  });
}

// Returns whether the pages around `page` show the same row in the same place.
bool Recurs(const Edge& edge, size_t page, const EdgeRow& row) {
  size_t occurrences = 1;
  bool counts = false;
  const size_t first = page > kWindow ? page - kWindow : 0;
  const size_t end = std::min(edge.size(), page + kWindow + 1);
  for (size_t other = first; other < end; ++other) {
    if (other == page) continue;
    for (const EdgeRow& candidate : edge[other]) {
      if (candidate.key != row.key || std::abs(candidate.distance - row.distance) > kSamePlace) {
        continue;
      }
      ++occurrences;
      counts = counts || CountsOn(row, candidate, static_cast<int>(other) - static_cast<int>(page));
      break;
    }
  }
  if (counts && (IsOnlyNumber(row) || occurrences >= kMinOccurrences)) return true;
  // The first line of the body is always in the same place too, and "Note" may well recur there. A
  // row without a counting number must therefore stand apart.
  return occurrences >= kMinOccurrences && row.gap > 0.6F * row.row.box.height();
}

// Marks furniture from the edge inwards, up to the first row that does not recur. Where most pages
// have furniture in a place, a row in that place is furniture on the other pages too (a chapter
// title that heads only one page).
void MarkFurniture(Edge& edge) {
  std::map<int, size_t> places;  // rounded distance -> pages with furniture there
  for (size_t page = 0; page < edge.size(); ++page) {
    for (EdgeRow& row : edge[page]) {
      if (!Recurs(edge, page, row)) break;
      row.is_furniture = true;
      ++places[static_cast<int>(std::lround(row.distance))];
    }
  }
  for (std::vector<EdgeRow>& rows : edge) {
    for (EdgeRow& row : rows) {
      if (row.is_furniture) continue;
      const auto place = places.find(static_cast<int>(std::lround(row.distance)));
      const bool usual = place != places.end() && place->second * 2 > edge.size() &&
                         place->second >= kMinOccurrences;
      if (!usual || row.gap < row.row.box.height()) break;
      row.is_furniture = true;
    }
  }
}

// Returns the printed number that counts on from or to one of the two pages on either side.
std::string LabelOf(const std::array<Edge, 2>& edges, size_t page) {
  for (const size_t side : {size_t{0}, size_t{1}}) {
    for (const EdgeRow& row : edges[side][page]) {
      if (!row.is_furniture) continue;
      for (const PrintedNumber& number : row.numbers) {
        for (const int step : {-1, 1, -2, 2}) {
          const auto other = static_cast<size_t>(static_cast<int64_t>(page) + step);
          if (other >= edges[side].size()) continue;
          for (const EdgeRow& neighbour : edges[side][other]) {
            if (neighbour.is_furniture && CountsOn(number, neighbour, step)) return number.text;
          }
        }
      }
    }
  }
  return {};
}

}  // namespace

int RomanValue(std::string_view text) {
  if (text.empty() || text.size() > 12) return 0;
  const bool upper = text[0] >= 'A' && text[0] <= 'Z';
  std::string lower;
  for (const char c : text) {
    if ((c >= 'A' && c <= 'Z') != upper || !IsLetter(c)) return 0;
    lower += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  int value = 0;
  std::string_view rest = lower;
  for (const auto& [digits, worth] : kRomanParts) {
    const int most = digits.size() == 2 || worth == 5 || worth == 50 || worth == 500 ? 1 : 3;
    for (int n = 0; n < most && rest.starts_with(digits); ++n) {
      rest.remove_prefix(digits.size());
      value += worth;
    }
  }
  return rest.empty() ? value : 0;
}

Furniture FindFurniture(const std::vector<SegmentedPage>& pages) {
  std::array<Edge, 2> edges;
  for (const SegmentedPage& page : pages) {
    std::vector<size_t> all(page.segments.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = i;
    const std::vector<Row> rows = FindRows(page.segments, all);
    edges[0].push_back(RowsAtEdge(page, rows, PageEdge::kTop));
    edges[1].push_back(RowsAtEdge(page, rows, PageEdge::kBottom));
  }
  MarkFurniture(edges[0]);
  MarkFurniture(edges[1]);
  Furniture furniture;
  for (size_t p = 0; p < pages.size(); ++p) {
    furniture.labels.push_back(LabelOf(edges, p));
    std::vector<bool>& marks = furniture.is_furniture.emplace_back(pages[p].segments.size(), false);
    for (const Edge& edge : edges) {
      for (const EdgeRow& row : edge[p]) {
        if (!row.is_furniture) continue;
        for (const size_t segment : row.row.segments) marks[segment] = true;
      }
    }
  }
  return furniture;
}

}  // namespace tome
