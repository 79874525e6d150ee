// Finds texts that say the same. A shelf often holds the same chapter twice, in two formats or
// editions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tome/text/analyzer.h"

namespace tome {

// Two texts of at least this resemblance are near duplicates.
inline constexpr double kNearDuplicate = 0.8;

// Returns the distinct runs of three terms of a text, hashed and sorted (shingles; Broder 1997, "On
// the resemblance and containment of documents"). They do not depend on case, punctuation or white
// space.
std::vector<uint64_t> Shingles(std::string_view utf8, Analyzer& analyzer);

// Returns the resemblance |A ∩ B| / |A ∪ B| of two sets of shingles, in [0, 1]. It is 1 for two
// empty sets.
double Resemblance(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b);

}  // namespace tome
