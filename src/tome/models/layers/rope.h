// Rotary position embedding, with the scalings that lengthen a model's context. The formulas are
// those of the papers that models/decoder_config.h names.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tome/kernels/rope.h"
#include "tome/models/decoder_config.h"
#include "tome/models/model.h"

namespace tome {

// A RopeTable holds the angles of some positions for kernels, multiplied by the scaling's attention
// factor. cos and sin are [positions, dimensions / 2] each.
struct RopeTable {
  std::vector<float> cos;
  std::vector<float> sin;
};

// RopeFrequencies is immutable. Angles are computed in double precision: at a million positions a
// float would be off by hundredths of a radian.
class RopeFrequencies {
 public:
  // `max_tokens` is the length that LongRoPE and dynamic NTK choose their frequencies for.
  RopeFrequencies(const RopeConfig& config, int64_t max_tokens);

  std::span<const double> frequencies() const { return frequencies_; }  // ω [dimensions / 2]
  double attention_factor() const { return attention_factor_; }

  // Appends the angles of positions [first, first + count) to `table`.
  void Append(int64_t first, int64_t count, RopeTable& table) const;

 private:
  std::vector<double> frequencies_;
  double attention_factor_ = 1;
};

// Returns the settings by which a memory's keys are turned: the checkpoint's, or lengthened by
// YaRN.
RopeConfig RopeConfigFor(const RopeConfig& config, const PositionScheme& scheme);

// BatchAngles holds the angles of every token of a batch, item after item. Positions go on where
// each item's memory ends, as its PositionScheme maps them.
struct BatchAngles {
  RopeTable keys;  // of keys, and of queries for keys of the token's own chunk
  // Angles of queries for farther pages. `middle` is for the chunk before, or for a streaming
  // memory's sinks. `far` is for older chunks. Each is empty where no token of the batch sees such
  // pages; the row of a token that does not see them turns nothing (cos 1, sin 0).
  RopeTable middle;
  RopeTable far;
  std::vector<float> query_factors;  // factors of the queries; empty: all are 1
};
BatchAngles AnglesOf(Batch batch, const RopeConfig& config);

}  // namespace tome
