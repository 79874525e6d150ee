#include "tome/kernels/mass_bins.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tome {

const std::array<double, MassBins::kBins + 1>& MassBins::Weights() {
  static const std::array<double, kBins + 1> kWeights = [] {
    std::array<double, kBins + 1> weights{};
    for (int i = 0; i <= kBins; ++i) {
      weights[static_cast<size_t>(i)] = std::exp(-static_cast<double>(i) / kBinsPerNat);
    }
    return weights;
  }();
  return kWeights;
}

MassBins::MassBins(std::span<const float> scores) : bins_(scores.size()) {
  float largest = std::numeric_limits<float>::lowest();
  for (const float score : scores) largest = std::max(largest, score);
  for (size_t i = 0; i < scores.size(); ++i) {
    const float below = (largest - scores[i]) * static_cast<float>(kBinsPerNat);
    const int bin = below < static_cast<float>(kBins - 1)    ? static_cast<int>(below)
                    : below >= static_cast<float>(kBins - 1) ? kBins - 1
                                                             : 0;  // no number
    bins_[i] = static_cast<uint16_t>(bin);
  }
}

MassBins::Counts MassBins::Count(std::span<const uint8_t> taken) const {
  Counts counts;
  for (size_t i = 0; i < bins_.size(); ++i) {
    ++(taken[i] != 0 ? counts.taken : counts.others)[bins_[i]];
  }
  return counts;
}

void MassBins::Take(double mass, std::span<uint8_t> taken) const {
  const Counts counts = Count(taken);
  const auto& weights = Weights();
  // Every thing taken weighs as the lightest of its bin, every other as the heaviest.
  double inside = 0;
  double outside = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    inside += counts.taken[bin] * weights[bin + 1];
    outside += counts.others[bin] * weights[bin];
  }
  size_t end = 0;  // of the bins to take
  for (; end < kBins && !(inside >= mass * (inside + outside)); ++end) {
    inside += counts.others[end] * weights[end + 1];
    outside -= counts.others[end] * weights[end];
  }
  for (size_t i = 0; i < bins_.size(); ++i) taken[i] |= static_cast<uint8_t>(bins_[i] < end);
}

double MassBins::MassOf(std::span<const uint8_t> taken) const {
  const Counts counts = Count(taken);
  const auto& weights = Weights();
  double inside = 0;
  double outside = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    inside += counts.taken[bin] * weights[bin];
    outside += counts.others[bin] * weights[bin];
  }
  return inside / (inside + outside);
}

}  // namespace tome
