#include "tome/documents/readers/page_statistics.h"

#include <algorithm>
#include <cmath>

namespace tome {
namespace {

int HalfPoints(float value) { return static_cast<int>(std::lround(value * 2)); }

// A distance seen this often is usual.
constexpr size_t kMinDistances = 3;
// Solid type is set at 1.2 times its size. This factor is used where the document shows no usual
// distance.
constexpr float kDefaultDistance = 1.25F;

}  // namespace

TextStatistics::TextStatistics(const std::vector<std::vector<Line>>& pages) {
  std::map<int, std::map<int, size_t>> distances;  // size -> quarter points -> count
  for (const std::vector<Line>& lines : pages) {
    for (size_t i = 0; i < lines.size(); ++i) {
      const Line& line = lines[i];
      letters_by_size_[HalfPoints(line.font_size)] += line.letters;
      letters_ += line.letters;
      if (i == 0 || lines[i - 1].region != line.region || line.turned || line.mono) continue;
      if (std::abs(lines[i - 1].font_size - line.font_size) > 0.25F) continue;
      const float distance = line.base - lines[i - 1].base;
      if (distance < 0.8F * line.font_size || distance > 2.5F * line.font_size) continue;
      ++distances[HalfPoints(line.font_size)][static_cast<int>(std::lround(distance * 4))];
    }
  }
  size_t most = 0;
  for (const auto& [size, letters] : letters_by_size_) {
    if (letters <= most) continue;
    most = letters;
    body_size_ = static_cast<float>(size) / 2;
  }
  for (const auto& [size, counts] : distances) {
    const auto usual =
        std::max_element(counts.begin(), counts.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (usual->second < kMinDistances) continue;
    distance_by_size_[size] = static_cast<float>(usual->first) / 4;
  }
}

float TextStatistics::Share(float font_size) const {
  const auto found = letters_by_size_.find(HalfPoints(font_size));
  if (found == letters_by_size_.end() || letters_ == 0) return 0;
  return static_cast<float>(found->second) / static_cast<float>(letters_);
}

float TextStatistics::LineDistance(float font_size) const {
  const auto found = distance_by_size_.find(HalfPoints(font_size));
  return found == distance_by_size_.end() ? kDefaultDistance * font_size : found->second;
}

}  // namespace tome
