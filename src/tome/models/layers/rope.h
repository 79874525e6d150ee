// Rotary position embedding with the scalings that lengthen a model's context
// (spec of the formulas: the papers named in models/decoder_config.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tome/kernels/rope.h"
#include "tome/models/decoder_config.h"
#include "tome/models/model.h"

namespace tome {

// Angles of some positions, for kernels: cos and sin [positions, dimensions / 2], multiplied by the
// scaling's attention factor.
struct RopeTable {
  std::vector<float> cos;
  std::vector<float> sin;
};

// Immutable. Angles are computed in double precision: at a million positions a float would be off
// by hundredths of a radian.
class RopeFrequencies {
 public:
  // `max_tokens`: the length that LongRoPE and dynamic NTK choose their frequencies for.
  RopeFrequencies(const RopeConfig& config, int64_t max_tokens);

  std::span<const double> frequencies() const { return frequencies_; }  // ω [dimensions / 2]
  double attention_factor() const { return attention_factor_; }

  // Appends the angles of positions [first, first + count).
  void Append(int64_t first, int64_t count, RopeTable& table) const;

 private:
  std::vector<double> frequencies_;
  double attention_factor_ = 1;
};

// The settings that a memory's keys are turned by: the checkpoint's, or lengthened by YaRN.
RopeConfig RopeConfigFor(const RopeConfig& config, const PositionScheme& scheme);

// Angles of every token of a batch, item after item, at the positions behind what each item's
// memory holds, as its PositionScheme has it.
struct BatchAngles {
  RopeTable keys;  // and of queries, for the keys of the token's own chunk
  // Of queries for farther pages: those of the chunk before or a streaming memory's sinks; and of
  // older chunks. Empty where no token of the batch sees such pages; the rows of a token that does
  // not turn nothing.
  RopeTable middle;
  RopeTable far;
  std::vector<float> query_factors;  // what queries are multiplied by; empty: 1
};
BatchAngles AnglesOf(Batch batch, const RopeConfig& config);

}  // namespace tome
