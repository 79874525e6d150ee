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

MassBins::MassBins(std::span<const float> scores, std::span<const uint8_t> kept, double rest)
    : largest_(std::numeric_limits<float>::lowest()), bins_(scores.size()), rest_(rest) {
  for (const float score : scores) largest_ = std::max(largest_, score);
  for (size_t i = 0; i < scores.size(); ++i) {
    const float below = (largest_ - scores[i]) * static_cast<float>(kBinsPerNat);
    const int bin = below < static_cast<float>(kBins - 1)    ? static_cast<int>(below)
                    : below >= static_cast<float>(kBins - 1) ? kBins - 1
                                                             : 0;  // no number
    bins_[i] = static_cast<uint16_t>(bin);
    ++(kept[i] != 0 ? kept_ : others_)[static_cast<size_t>(bin)];
  }
}

// The last bin to take; −1: the kept ones are enough.
int MassBins::LastBin(double mass) const {
  const auto& weights = Weights();
  double inside = 0;
  double outside = rest_;
  for (size_t bin = 0; bin < kBins; ++bin) {
    inside += kept_[bin] * weights[bin + 1];
    outside += others_[bin] * weights[bin];
  }
  for (int bin = -1; bin < kBins - 1; ++bin) {
    if (inside >= mass * (inside + outside)) return bin;
    const auto next = static_cast<size_t>(bin + 1);
    inside += others_[next] * weights[next + 1];
    outside -= others_[next] * weights[next];
  }
  return kBins - 1;
}

void MassBins::Mark(double mass, std::vector<uint8_t>& taken) const {
  const int last = LastBin(mass);
  for (size_t i = 0; i < bins_.size(); ++i) taken[i] |= static_cast<uint8_t>(bins_[i] <= last);
}

double MassBins::MassOf(std::span<const uint8_t> taken) const {
  const auto& weights = Weights();
  double all = rest_;
  for (size_t bin = 0; bin < kBins; ++bin) all += (kept_[bin] + others_[bin]) * weights[bin];
  return 1 - (WeightOfOthers(taken) + rest_) / all;
}

double MassBins::WeightOfOthers(std::span<const uint8_t> taken) const {
  std::array<int32_t, kBins> others{};
  for (size_t i = 0; i < bins_.size(); ++i) others[bins_[i]] += taken[i] != 0 ? 0 : 1;
  const auto& weights = Weights();
  double weight = 0;
  for (size_t bin = 0; bin < kBins; ++bin) weight += others[bin] * weights[bin];
  return weight;
}

}  // namespace tome
