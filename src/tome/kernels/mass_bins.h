// The fewest things, pages or parts, that hold a share of a softmax.
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
  // `kept`: those that are taken whatever their score, a flag each. `rest`: what others, which have
  // no scores, weigh, of the heaviest one's weight.
  MassBins(std::span<const float> scores, std::span<const uint8_t> kept, double rest = 0);

  // Marks those to take, by descending score, beside the kept ones for `mass` of everything to be
  // taken. What is no number is taken, so that it shows.
  void Mark(double mass, std::vector<uint8_t>& taken) const;
  // The share of everything that the taken ones hold.
  double MassOf(std::span<const uint8_t> taken) const;
  // What the others weigh, of the heaviest one's weight.
  double WeightOfOthers(std::span<const uint8_t> taken) const;
  float largest() const { return largest_; }

 private:
  // What lies below the last bin weighs less than 1e-13 of the largest.
  static constexpr int kBins = 512;
  static constexpr double kBinsPerNat = 16;
  // exp of what the upper edge of a bin lies below the largest score.
  static const std::array<double, kBins + 1>& Weights();

  int LastBin(double mass) const;

  float largest_;
  std::vector<uint16_t> bins_;
  std::array<int32_t, kBins> kept_{};
  std::array<int32_t, kBins> others_{};
  double rest_;
};

}  // namespace tome
