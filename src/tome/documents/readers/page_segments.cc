#include "tome/documents/readers/page_segments.h"

#include <algorithm>

namespace tome {
namespace {

// A raised or lowered mark sorts beside its line and is never further than two rows away.
constexpr size_t kRowsBack = 3;

// Gutters of narrow columns are about one em wide. Spaces of justified text are rarely wider than
// 0.6 em.
constexpr float kMaxWordSpaceEm = 0.7F;
// Kerning and slanted letters make boxes overlap a little.
constexpr float kMaxOverlapEm = 0.4F;

bool Follows(const Word& before, const Word& word) {
  if (before.turn != word.turn) return false;
  if (word.turn != 0) return true;  // turned text keeps the order it came in
  const float em = std::max(before.font_size, word.font_size);
  const float gap = word.box.left - before.box.right;
  return gap <= kMaxWordSpaceEm * em && gap >= -kMaxOverlapEm * em &&
         VerticalOverlap(before.box, word.box) >= 0.5F;
}

// Returns the size of the longest run of words of one size, by bytes. Sizes closer than a tenth of
// a point are one size.
float DominantSize(const std::vector<Word>& words, size_t first, size_t end) {
  float best_size = words[first].font_size;
  size_t best = 0;
  size_t run = 0;
  for (size_t i = first; i < end; ++i) {
    const bool same = i > first && std::abs(words[i].font_size - words[i - 1].font_size) < 0.1F;
    run = (same ? run : 0) + words[i].text.size();
    if (run > best) {
      best = run;
      best_size = words[i].font_size;
    }
  }
  return best_size;
}

}  // namespace

std::vector<Segment> FindSegments(const PageWords& page) {
  std::vector<Segment> segments;
  for (size_t i = 0; i < page.words.size(); ++i) {
    const Word& word = page.words[i];
    if (i == 0 || !Follows(page.words[i - 1], word)) {
      segments.push_back(
          {.first_word = i, .box = word.box, .mono = true, .turned = word.turn != 0});
    }
    Segment& segment = segments.back();
    segment.end_word = i + 1;
    segment.mono = segment.mono && word.mono;
    Unite(word.box, segment.box);
  }
  for (Segment& segment : segments) {
    segment.font_size = DominantSize(page.words, segment.first_word, segment.end_word);
  }
  return segments;
}

std::vector<Row> FindRows(const std::vector<Segment>& segments,
                          const std::vector<size_t>& members) {
  std::vector<size_t> order;
  for (const size_t index : members) {
    if (!segments[index].turned) order.push_back(index);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return segments[a].box.center_y() < segments[b].box.center_y();
  });
  std::vector<Row> rows;
  for (const size_t index : order) {
    const Box& box = segments[index].box;
    Row* home = nullptr;
    for (size_t back = 0; back < std::min(kRowsBack, rows.size()) && home == nullptr; ++back) {
      Row& row = rows[rows.size() - 1 - back];
      if (VerticalOverlap(row.box, box) >= 0.5F) home = &row;
    }
    if (home == nullptr) {
      rows.push_back({.segments = {index}, .box = box});
      continue;
    }
    home->segments.push_back(index);
    if (box.height() > home->box.height()) {
      home->box.top = box.top;
      home->box.bottom = box.bottom;
    }
    home->box.left = std::min(home->box.left, box.left);
    home->box.right = std::max(home->box.right, box.right);
  }
  for (Row& row : rows) {
    std::stable_sort(row.segments.begin(), row.segments.end(), [&](size_t a, size_t b) {
      return segments[a].box.left < segments[b].box.left;
    });
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.box.center_y() < b.box.center_y(); });
  return rows;
}

}  // namespace tome
