#include "tome/retrieval/fusion.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "tome/base/error.h"
#include "tome/base/function_ref.h"

namespace tome {
namespace {

uint64_t Overlap(const FoundPlace& a, const FoundPlace& b) {
  if (a.document != b.document) return 0;
  const uint64_t begin = std::max(a.span.begin, b.span.begin);
  const uint64_t end = std::min(a.span.end, b.span.end);
  return end > begin ? end - begin : 0;
}

// Returns the index of the window that holds most of a passage, the better one of two. Empty where
// none holds half of it.
std::optional<size_t> WindowOf(const FoundPlace& passage, std::span<const FoundPlace> windows) {
  std::optional<size_t> best;
  uint64_t most = 0;
  for (size_t i = 0; i < windows.size(); ++i) {
    const uint64_t overlap = Overlap(passage, windows[i]);
    if (2 * overlap < passage.span.size() || overlap <= most) continue;
    best = i;
    most = overlap;
  }
  return best;
}

// Joins the lists, sets the score of each place by its ranks, and sorts the places by it.
std::vector<FoundPlace> Fuse(std::span<const FoundPlace> lexical, std::span<const FoundPlace> dense,
                             FunctionRef<double(const PlaceRanks&)> score) {
  std::vector<FoundPlace> places(dense.begin(), dense.end());
  for (const FoundPlace& passage : lexical) {
    const std::optional<size_t> window = WindowOf(passage, dense);
    if (!window) {
      places.push_back(passage);
    } else if (!places[*window].ranks.lexical) {  // the best passage comes first
      places[*window].ranks.lexical = passage.ranks.lexical;
      places[*window].focus = passage.focus;
    }
  }
  for (FoundPlace& place : places) place.score = score(place.ranks);
  std::ranges::stable_sort(places, std::ranges::greater{}, &FoundPlace::score);
  for (size_t i = 0; i < places.size(); ++i) {
    places[i].ranks.fused = {.rank = i + 1, .score = places[i].score};
  }
  return places;
}

}  // namespace

std::vector<FoundPlace> FuseByScores(std::span<const FoundPlace> lexical,
                                     std::span<const FoundPlace> dense, double weight) {
  TOME_CHECK(weight >= 0 && weight <= 1);
  const double best_lexical = lexical.empty() ? 0 : lexical.front().ranks.lexical->score;
  const double best_dense = dense.empty() ? 0 : dense.front().ranks.dense->score;
  const double last_dense = dense.empty() ? 0 : dense.back().ranks.dense->score;
  return Fuse(lexical, dense, [&](const PlaceRanks& ranks) {
    double score = 0;
    if (ranks.lexical && best_lexical > 0) {
      score += (1 - weight) * ranks.lexical->score / best_lexical;
    }
    if (ranks.dense) {
      const double range = best_dense - last_dense;
      score += weight * (range > 0 ? (ranks.dense->score - last_dense) / range : 1);
    }
    return score;
  });
}

std::vector<FoundPlace> FuseByRanks(std::span<const FoundPlace> lexical,
                                    std::span<const FoundPlace> dense) {
  return Fuse(lexical, dense, [](const PlaceRanks& ranks) {
    double score = 0;
    for (const std::optional<ListRank>& list : {ranks.lexical, ranks.dense}) {
      if (list) score += 1 / (kReciprocalRank + static_cast<double>(list->rank));
    }
    return score;
  });
}

}  // namespace tome
