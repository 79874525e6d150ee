#include "tome/tensor/scale_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tome {
namespace {

// Candidates map the extreme value up to one level beyond or short of the end of the range. Further
// out, clipping or coarseness costs more than any rounding can win.
constexpr int kSteps = 10;
constexpr float kStepLevels = 0.1F;
constexpr int kMaxRefinements = 4;  // the error falls no more after two or three
// The least ratio of the integers' variance to their mean square for a fit with offset: one integer
// that differs from 31 others gives 1e-5, rounding in double 1e-14.
constexpr double kLeastDeterminant = 1e-9;

// ScaleSums holds the sums of the least-squares fit of x = scale * q.
// The error is sum w x^2 - gain().
struct ScaleSums {
  float xq = 0;
  float qq = 0;
  float gain() const { return qq > 0 ? xq * xq / qq : 0; }
};

ScaleSums SumScale(std::span<const float> x, std::span<const float> w, float inverse, float low,
                   float high) {
  ScaleSums sums;
  for (size_t j = 0; j < x.size(); ++j) {
    const float q = RoundClamped(x[j] * inverse, low, high);
    sums.xq += w[j] * x[j] * q;
    sums.qq += w[j] * q * q;
  }
  return sums;
}

struct AffineTrial {
  AffineFit fit;
  float error = std::numeric_limits<float>::infinity();
};

float ErrorOf(std::span<const float> x, std::span<const float> w, float high, float inverse,
              float base, const AffineFit& fit) {
  float error = 0;
  for (size_t j = 0; j < x.size(); ++j) {
    const float q = RoundClamped((x[j] - base) * inverse, 0, high);
    const float miss = x[j] - fit.scale * q - fit.offset;
    error += w[j] * miss * miss;
  }
  return error;
}

// Returns the least-squares fit for the integers that `inverse` and `base` round to, with its
// error. The sums are in double: where nearly all integers are the same, the determinant is a small
// difference.
AffineTrial TryAffine(std::span<const float> x, std::span<const float> w, float high, Offset rule,
                      float inverse, float base) {
  double sw = 0;
  double sx = 0;
  double sq = 0;
  double sqq = 0;
  double sqx = 0;
  for (size_t j = 0; j < x.size(); ++j) {
    const double q = double{RoundClamped((x[j] - base) * inverse, 0, high)};
    const double weight = double{w[j]};
    sw += weight;
    sx += weight * double{x[j]};
    sq += weight * q;
    sqq += weight * q * q;
    sqx += weight * q * double{x[j]};
  }
  const double determinant = sw * sqq - sq * sq;
  const bool all_same = !(determinant > kLeastDeterminant * sw * sqq);
  double scale = (sw * sqx - sx * sq) / determinant;
  double offset = (sqq * sx - sq * sqx) / determinant;
  if (rule == Offset::kNotPositive && (all_same || offset > 0)) {
    scale = sqx / sqq;
    offset = 0;
  } else if (all_same) {
    return {};
  }
  if (!(scale > 0)) return {};  // also where scale is no number
  const AffineFit fit{static_cast<float>(scale), static_cast<float>(offset)};
  return {fit, ErrorOf(x, w, high, inverse, base, fit)};
}

// Returns 1 / scale, or 0 where that is no finite number (a subnormal scale): everything then
// rounds to 0.
float FiniteInverse(float scale) {
  const float inverse = 1 / scale;
  return std::isfinite(inverse) ? inverse : 0;
}

}  // namespace

float SearchScale(std::span<const float> x, std::span<const float> w, int low, int high) {
  const float extreme = *std::max_element(
      x.begin(), x.end(), [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  if (extreme == 0) return 0;
  const auto first = static_cast<float>(low);
  const auto last = static_cast<float>(high);
  float scale = extreme / first;
  float best = 0;
  const auto accept = [&](float inverse) {
    const ScaleSums sums = SumScale(x, w, inverse, first, last);
    if (!(sums.gain() > best)) return false;
    best = sums.gain();
    scale = sums.xq / sums.qq;
    return true;
  };
  for (int step = -kSteps; step <= kSteps; ++step) {
    accept(FiniteInverse(extreme / (first + kStepLevels * static_cast<float>(step))));
  }
  for (int i = 0; i < kMaxRefinements && accept(FiniteInverse(scale)); ++i) {
  }
  return scale;
}

AffineFit SearchAffine(std::span<const float> x, std::span<const float> w, int high, Offset rule) {
  const auto [least, greatest] = std::minmax_element(x.begin(), x.end());
  const float base = rule == Offset::kNotPositive ? std::min(*least, 0.0F) : *least;
  const float range = *greatest - base;
  if (!(range > 0)) return {0, base};
  const auto last = static_cast<float>(high);
  const AffineFit plain{range / last, base};
  AffineTrial best{plain, ErrorOf(x, w, last, FiniteInverse(plain.scale), base, plain)};
  const auto accept = [&](float inverse, float from) {
    const AffineTrial trial = TryAffine(x, w, last, rule, inverse, from);
    if (!(trial.error < best.error)) return false;
    best = trial;
    return true;
  };
  for (int step = -kSteps; step <= kSteps; ++step) {
    accept(FiniteInverse(range / (last + kStepLevels * static_cast<float>(step))), base);
  }
  for (int i = 0; i < kMaxRefinements && accept(FiniteInverse(best.fit.scale), best.fit.offset);
       ++i) {
  }
  return best.fit;
}

}  // namespace tome
