// The search finds the scale, or scale and offset, with which small integers come nearest to a few
// floats.
//
// For fixed integers q the best scale is a weighted least-squares fit, and for a fixed scale the
// best integers are the nearest ones; the difficulty is to find both at once. The search tries
// inverse scales around the one that maps the extreme value to the end of the range, and fits each.
// From the best of them it alternates fit and rounding until the error falls no more.
#pragma once

#include <span>

namespace tome {

// Returns `value` clamped to [low, high] and rounded to the nearest integer, ties to even. Both
// ends must be within +-2^22. Adding 1.5 * 2^23 leaves no fraction bits: it rounds without a
// library call.
inline float RoundClamped(float value, float low, float high) {
  constexpr float kShift = 12582912.0F;
  value = value < low ? low : value;
  value = value > high ? high : value;
  return (value + kShift) - kShift;
}

// Returns the scale that minimizes sum w_j (x_j - scale * q_j)^2 over integers q_j in [low, high],
// low < 0. The scale may be negative, because the range is longer on one side. It is 0 when all
// values are 0.
float SearchScale(std::span<const float> x, std::span<const float> w, int low, int high);

enum class Offset { kAny, kNotPositive };
struct AffineFit {
  float scale = 0;  // not negative
  float offset = 0;
};
// Minimizes sum w_j (x_j - scale * q_j - offset)^2 over scale, offset and integers q_j in
// [0, high]. `rule` limits the offset.
AffineFit SearchAffine(std::span<const float> x, std::span<const float> w, int high, Offset rule);

}  // namespace tome
