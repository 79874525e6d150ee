// MassBins finds the fewest items (pages or parts) that, with those already taken, hold a given
// share of a softmax.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace tome {

// The scores of one query, in bins by their distance from the largest. An item's weight is the
// exponential of its score, rounded to the upper or lower edge of its bin. Take rounds to the
// cautious side.
class MassBins {
 public:
  explicit MassBins(std::span<const float> scores);

  // Takes further items by descending score until all taken items hold the share `mass` of all
  // weight. A NaN counts as the largest score, so that it shows in the result. `taken` holds zeros
  // and ones.
  void Take(double mass, std::span<uint8_t> taken) const;
  // Returns the share of all weight that the taken items hold.
  double MassOf(std::span<const uint8_t> taken) const;

 private:
  // A score below the last bin weighs less than 1e-13 of the largest.
  static constexpr int kBins = 512;
  static constexpr double kBinsPerNat = 16;
  // Weight at the upper edge of each bin, relative to the largest score's.
  static const std::array<double, kBins + 1>& Weights();

  using Counts = std::array<int32_t, kBins>;  // items in each bin
  Counts Count(std::span<const uint8_t> taken) const;

  std::vector<uint16_t> bins_;
  Counts all_{};
};

}  // namespace tome
