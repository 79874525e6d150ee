// Finds texts that say the same: shelves hold the same chapter twice, in two formats or editions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tome/text/analyzer.h"

namespace tome {

// Two texts with at least this similarity are near duplicates.
inline constexpr double kNearDuplicate = 0.8;

// The distinct runs of three terms of a text, hashed and sorted (shingles; Broder 1997, "On the
// resemblance and containment of documents"). Independent of case, punctuation and white space.
std::vector<uint64_t> Shingles(std::string_view utf8, Analyzer& analyzer);

// Their resemblance |A ∩ B| / |A ∪ B|, in [0, 1]; 1 for two empty sets.
double Resemblance(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b);

}  // namespace tome
