#include "tome/kernels/mass_bins.h"

#include <algorithm>
#include <cmath>
#include <cstring>
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
  // Sixteen maxima run side by side, because compilers must not split a single one into several.
  std::array<float, 16> most;
  most.fill(std::numeric_limits<float>::lowest());
  size_t i = 0;
  for (; i + most.size() <= scores.size(); i += most.size()) {
    for (size_t j = 0; j < most.size(); ++j) {
      most[j] = scores[i + j] > most[j] ? scores[i + j] : most[j];
    }
  }
  float largest = *std::max_element(most.begin(), most.end());
  for (; i < scores.size(); ++i) largest = std::max(largest, scores[i]);
  for (i = 0; i < scores.size(); ++i) {
    const float below = (largest - scores[i]) * static_cast<float>(kBinsPerNat);
    const int bin = below < static_cast<float>(kBins - 1)    ? static_cast<int>(below)
                    : below >= static_cast<float>(kBins - 1) ? kBins - 1
                                                             : 0;  // NaN
    bins_[i] = static_cast<uint16_t>(bin);
    ++all_[static_cast<size_t>(bin)];
  }
}

// Usually few items are taken, so eight items are skipped at once where none of them is.
MassBins::Counts MassBins::Count(std::span<const uint8_t> taken) const {
  Counts counts{};
  size_t i = 0;
  for (uint64_t eight = 0; i + sizeof eight <= taken.size(); i += sizeof eight) {
    std::memcpy(&eight, taken.data() + i, sizeof eight);
    if (eight == 0) continue;
    for (size_t j = i; j < i + sizeof eight; ++j) counts[bins_[j]] += taken[j];
  }
  for (; i < taken.size(); ++i) counts[bins_[i]] += taken[i];
  return counts;
}

void MassBins::Take(double mass, std::span<uint8_t> taken) const {
  const Counts counts = Count(taken);
  const auto& weights = Weights();
  // A taken item has the least weight of its bin, any other item the largest.
  double inside = 0;
  double outside = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    inside += counts[bin] * weights[bin + 1];
    outside += (all_[bin] - counts[bin]) * weights[bin];
  }
  size_t end = 0;  // items of bins [0, end) are taken
  for (; end < kBins && !(inside >= mass * (inside + outside)); ++end) {
    const int32_t others = all_[end] - counts[end];
    inside += others * weights[end + 1];
    outside -= others * weights[end];
  }
  for (size_t i = 0; i < bins_.size(); ++i) taken[i] |= static_cast<uint8_t>(bins_[i] < end);
}

double MassBins::MassOf(std::span<const uint8_t> taken) const {
  const Counts counts = Count(taken);
  const auto& weights = Weights();
  double inside = 0;
  double outside = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    inside += counts[bin] * weights[bin];
    outside += (all_[bin] - counts[bin]) * weights[bin];
  }
  return inside / (inside + outside);
}

}  // namespace tome
