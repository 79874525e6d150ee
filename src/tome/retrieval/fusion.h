// Fusion joins what two searches found, by words and by vectors, in one list.
//
// Words find passages and vectors find windows, which are longer (documents/windows.h). A passage
// that lies in a found window stands for the same place: the fused place is the window, with the
// rank of its best passage. A place that only one search found gets nothing from the other.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "tome/retrieval/retriever.h"

namespace tome {

// Fuses by a convex combination of normalized scores (Bruch, Gai and Ingber, arXiv 2210.11934):
//
//   score = weight · dense + (1 − weight) · lexical
//
// A score by words is divided by that of the best passage; a score by vectors is mapped so that the
// best window has 1 and the last one of the list 0. `weight` is in [0, 1].
std::vector<FoundPlace> FuseByScores(std::span<const FoundPlace> lexical,
                                     std::span<const FoundPlace> dense, double weight);

// Fuses by reciprocal ranks (Cormack, Clarke and Büttcher, 2009), Σ 1 / (k + rank), which needs no
// weight. k = 60, as published, lets a place of middling rank in both lists pass the first place of
// one of them. A question in the text's words has its answer first in the list of words, so k is
// small here.
inline constexpr double kReciprocalRank = 10;
std::vector<FoundPlace> FuseByRanks(std::span<const FoundPlace> lexical,
                                    std::span<const FoundPlace> dense);

}  // namespace tome
