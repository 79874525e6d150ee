// What is usual in a document: the size of its body text and the distance of its lines. Layout
// judges a page by these, so that a page with only a title or a poem is not its own measure.
#pragma once

#include <map>
#include <vector>

#include "tome/documents/readers/page_lines.h"

namespace tome {

class TextStatistics {
 public:
  explicit TextStatistics(const std::vector<std::vector<Line>>& pages);

  // The size that most letters have, points.
  float body_size() const { return body_size_; }
  // The part of all letters set in this size, 0 to 1.
  float Share(float font_size) const;
  // The usual distance from line to line of text in this size, points.
  float LineDistance(float font_size) const;

 private:
  float body_size_ = 10;
  size_t letters_ = 0;
  std::map<int, size_t> letters_by_size_;  // keys in half points
  std::map<int, float> distance_by_size_;
};

}  // namespace tome
