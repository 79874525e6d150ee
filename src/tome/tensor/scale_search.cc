#include "tome/tensor/scale_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tome {
namespace {

// Candidates reach one level beyond and short of the end of the range: further out either clipping
// or coarseness costs more than any rounding can win.
constexpr int kSteps = 10;
constexpr float kStepLevels = 0.1F;
constexpr int kMaxRefinements = 4;  // the error falls no more after two or three

// Sums of the least-squares fit of x = scale * q. The error is sum w x^2 - gain().
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

// The least-squares fit for the integers that `inverse` and `base` round to, with its error.
AffineTrial TryAffine(std::span<const float> x, std::span<const float> w, float high, Offset rule,
                      float inverse, float base) {
  float sw = 0;
  float sx = 0;
  float sq = 0;
  float sqq = 0;
  float sqx = 0;
  for (size_t j = 0; j < x.size(); ++j) {
    const float q = RoundClamped((x[j] - base) * inverse, 0, high);
    sw += w[j];
    sx += w[j] * x[j];
    sq += w[j] * q;
    sqq += w[j] * q * q;
    sqx += w[j] * q * x[j];
  }
  AffineTrial trial;
  const float determinant = sw * sqq - sq * sq;
  if (!(determinant > 0)) return trial;
  trial.fit.scale = (sw * sqx - sx * sq) / determinant;
  trial.fit.offset = (sqq * sx - sq * sqx) / determinant;
  if (rule == Offset::kNotPositive && trial.fit.offset > 0) {
    trial.fit.scale = sqx / sqq;
    trial.fit.offset = 0;
  }
  if (!(trial.fit.scale > 0)) return trial;
  float error = 0;
  for (size_t j = 0; j < x.size(); ++j) {
    const float q = RoundClamped((x[j] - base) * inverse, 0, high);
    const float miss = x[j] - trial.fit.scale * q - trial.fit.offset;
    error += w[j] * miss * miss;
  }
  trial.error = error;
  return trial;
}

// 1 / scale, and 0 where that is no finite number (a subnormal scale): everything rounds to 0 then.
float Inverse(float scale) {
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
    accept(Inverse(extreme / (first + kStepLevels * static_cast<float>(step))));
  }
  for (int i = 0; i < kMaxRefinements && accept(Inverse(scale)); ++i) {
  }
  return scale;
}

AffineFit SearchAffine(std::span<const float> x, std::span<const float> w, int high, Offset rule) {
  const auto [least, greatest] = std::minmax_element(x.begin(), x.end());
  const float base = rule == Offset::kNotPositive ? std::min(*least, 0.0F) : *least;
  const float range = *greatest - base;
  if (!(range > 0)) return {0, base};
  const auto last = static_cast<float>(high);
  AffineTrial best{{range / last, base}};
  const auto accept = [&](float inverse, float from) {
    const AffineTrial trial = TryAffine(x, w, last, rule, inverse, from);
    if (!(trial.error < best.error)) return false;
    best = trial;
    return true;
  };
  for (int step = -kSteps; step <= kSteps; ++step) {
    accept(Inverse(range / (last + kStepLevels * static_cast<float>(step))), base);
  }
  for (int i = 0; i < kMaxRefinements && accept(Inverse(best.fit.scale), best.fit.offset); ++i) {
  }
  return best.fit;
}

}  // namespace tome
