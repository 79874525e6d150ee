// TextStatistics holds what is usual in a document: the size of its body text and the distance of
// its lines. Layout judges a page by these, so that a page with only a title or a poem is not its
// own measure.
#pragma once

#include <map>
#include <vector>

#include "tome/documents/readers/page_lines.h"

namespace tome {

class TextStatistics {
 public:
  explicit TextStatistics(const std::vector<std::vector<Line>>& pages);

  // Returns the size that most letters have, in points.
  float body_size() const { return body_size_; }
  // Returns the part of all letters that is set in this size, 0 to 1.
  float Share(float font_size) const;
  // Returns the usual distance from line to line of text in this size, in points.
  float LineDistance(float font_size) const;

 private:
  float body_size_ = 10;
  size_t letters_ = 0;
  std::map<int, size_t> letters_by_size_;  // keys in half points
  std::map<int, float> distance_by_size_;
};

}  // namespace tome
