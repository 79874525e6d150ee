#include "tome/models/layers/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tome {
namespace {

// Returns ω_i = base^(−2i / dimensions).
std::vector<double> PlainFrequencies(double base, int64_t dimensions) {
  std::vector<double> frequencies;
  for (int64_t i = 0; i < dimensions; i += 2) {
    frequencies.push_back(
        std::pow(base, -static_cast<double>(i) / static_cast<double>(dimensions)));
  }
  return frequencies;
}

// Returns the frequencies of "YaRN: Efficient Context Window Extension", section 3.2. High
// frequencies stay and low ones are interpolated, with a ramp between the dimensions that turn
// beta_fast and beta_slow times over the original context.
std::vector<double> YarnFrequencies(const RopeConfig& config) {
  const auto dimensions = static_cast<double>(config.dimensions);
  const auto dimension_of = [&](double turns) {
    const double length = static_cast<double>(config.original_context);
    return dimensions * std::log(length / (turns * 2 * std::numbers::pi)) /
           (2 * std::log(config.base));
  };
  double low = dimension_of(config.beta_fast);
  double high = dimension_of(config.beta_slow);
  if (config.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, dimensions - 1);
  if (low == high) high += 0.001;  // the reference's guard against a division by zero
  std::vector<double> frequencies = PlainFrequencies(config.base, config.dimensions);
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] = frequencies[i] * (1 - ramp) + frequencies[i] / config.factor * ramp;
  }
  return frequencies;
}

std::vector<double> Llama3Frequencies(const RopeConfig& config) {
  std::vector<double> frequencies = PlainFrequencies(config.base, config.dimensions);
  const auto original = static_cast<double>(config.original_context);
  for (double& frequency : frequencies) {
    const double wavelength = 2 * std::numbers::pi / frequency;
    if (wavelength < original / config.high_freq_factor) continue;
    if (wavelength > original / config.low_freq_factor) {
      frequency /= config.factor;
      continue;
    }
    const double smooth = (original / wavelength - config.low_freq_factor) /
                          (config.high_freq_factor - config.low_freq_factor);
    frequency = (1 - smooth) * frequency / config.factor + smooth * frequency;
  }
  return frequencies;
}

// Returns a base that grows with the length beyond the original context.
double DynamicNtkBase(const RopeConfig& config, int64_t max_tokens) {
  const auto original = static_cast<double>(config.original_context);
  const double length = std::max(static_cast<double>(max_tokens), original);
  const auto dimensions = static_cast<double>(config.dimensions);
  const double stretch = config.factor * length / original - (config.factor - 1);
  return config.base * std::pow(stretch, dimensions / (dimensions - 2));
}

std::vector<double> ScaledFrequencies(const RopeConfig& config, int64_t max_tokens) {
  switch (config.type) {
    case RopeScalingType::kYarn:
      return YarnFrequencies(config);
    case RopeScalingType::kLlama3:
      return Llama3Frequencies(config);
    case RopeScalingType::kDynamicNtk:
      return PlainFrequencies(DynamicNtkBase(config, max_tokens), config.dimensions);
    case RopeScalingType::kLinear: {
      std::vector<double> frequencies = PlainFrequencies(config.base, config.dimensions);
      for (double& frequency : frequencies) frequency /= config.factor;
      return frequencies;
    }
    case RopeScalingType::kLongRope: {
      std::vector<double> frequencies = PlainFrequencies(config.base, config.dimensions);
      const std::vector<double>& factors =
          max_tokens > config.original_context ? config.long_factors : config.short_factors;
      for (size_t i = 0; i < frequencies.size(); ++i) frequencies[i] /= factors[i];
      return frequencies;
    }
    case RopeScalingType::kNone:
      break;
  }
  return PlainFrequencies(config.base, config.dimensions);
}

double AttentionFactor(const RopeConfig& config) {
  if (config.attention_factor > 0) return config.attention_factor;
  if (config.factor <= 1) return 1;
  if (config.type == RopeScalingType::kYarn) return 0.1 * std::log(config.factor) + 1;
  if (config.type == RopeScalingType::kLongRope) {
    return std::sqrt(1 + std::log(config.factor) /
                             std::log(static_cast<double>(config.original_context)));
  }
  return 1;
}

}  // namespace

RopeFrequencies::RopeFrequencies(const RopeConfig& config, int64_t max_tokens)
    : frequencies_(ScaledFrequencies(config, max_tokens)),
      attention_factor_(AttentionFactor(config)) {
  for (size_t i = 0; i < config.divisors.size(); ++i) frequencies_[i] /= config.divisors[i];
}

void RopeFrequencies::Append(int64_t first, int64_t count, RopeTable& table) const {
  for (int64_t position = first; position < first + count; ++position) {
    for (const double frequency : frequencies_) {
      const double angle = static_cast<double>(position) * frequency;
      table.cos.push_back(static_cast<float>(std::cos(angle) * attention_factor_));
      table.sin.push_back(static_cast<float>(std::sin(angle) * attention_factor_));
    }
  }
}

RopeConfig RopeConfigFor(const RopeConfig& config, const PositionScheme& scheme) {
  if (scheme.yarn_factor == 0) return config;
  RopeConfig lengthened = config;
  lengthened.type = RopeScalingType::kYarn;
  lengthened.factor = scheme.yarn_factor;
  lengthened.original_context = scheme.yarn_tokens;
  lengthened.attention_factor = 0;
  return lengthened;
}

BatchAngles AnglesOf(Batch batch, const RopeConfig& config) {
  BatchAngles angles;
  bool middle = false;
  bool far = false;
  bool factors = false;
  for (const BatchItem& item : batch) {
    const PositionScheme& scheme = item.memory->positions();
    const RopeFrequencies frequencies(RopeConfigFor(config, scheme), scheme.rope_tokens);
    const int64_t begin = item.memory->length();
    const int64_t end = begin + static_cast<int64_t>(item.tokens.size());
    const auto append_no_turn = [&](RopeTable& table) {
      const size_t size = table.cos.size() + frequencies.frequencies().size();
      table.cos.resize(size, 1.0F);
      table.sin.resize(size, 0.0F);
    };
    const auto append_if = [&](bool seen, int64_t position, RopeTable& table) {
      if (seen) return frequencies.Append(position, 1, table);
      append_no_turn(table);
    };
    for (int64_t position = begin; position < end; ++position) {
      if (scheme.chunks) {
        const ChunkedPositions& chunks = *scheme.chunks;
        const bool has_before = position >= chunks.chunk;
        const bool has_older = position >= 2 * chunks.chunk;
        frequencies.Append(chunks.KeyOf(position), 1, angles.keys);
        append_if(has_before, chunks.QueryOfChunkBefore(position), angles.middle);
        append_if(has_older, chunks.QueryOfOlderChunks(), angles.far);
        angles.query_factors.push_back(static_cast<float>(chunks.QueryFactor(position)));
        middle |= has_before;
        far |= has_older;
        factors |= angles.query_factors.back() != 1;
        continue;
      }
      const int64_t forgotten = scheme.streaming ? scheme.streaming->ForgottenTo(position) : 0;
      frequencies.Append(position, 1, angles.keys);
      append_if(forgotten > 0, position - forgotten, angles.middle);
      append_no_turn(angles.far);
      angles.query_factors.push_back(1);
      middle |= forgotten > 0;
    }
  }
  if (!middle) angles.middle = {};
  if (!far) angles.far = {};
  if (!factors) angles.query_factors.clear();
  return angles;
}

}  // namespace tome
