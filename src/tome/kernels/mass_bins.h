// The fewest things, pages or parts, that hold a share of a softmax beside what is taken anyway.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace tome {

// Scores of one query in bins below the largest one; a thing's weight is the exponential of its
// score, taken for the heaviest or the lightest of its bin where that is the cautious side.
class MassBins {
 public:
  explicit MassBins(std::span<const float> scores);

  // Takes by descending score, beside what is taken already, until that holds `mass` of everything.
  // What is no number counts as heaviest, so that it shows. `taken` holds zeros and ones.
  void Take(double mass, std::span<uint8_t> taken) const;
  // The share of everything that the taken ones hold.
  double MassOf(std::span<const uint8_t> taken) const;

 private:
  // What lies below the last bin weighs less than 1e-13 of the largest.
  static constexpr int kBins = 512;
  static constexpr double kBinsPerNat = 16;
  // exp of what the upper edge of a bin lies below the largest score.
  static const std::array<double, kBins + 1>& Weights();

  using Counts = std::array<int32_t, kBins>;  // of things, by bin
  Counts Count(std::span<const uint8_t> taken) const;

  std::vector<uint16_t> bins_;
  Counts all_{};
};

}  // namespace tome
