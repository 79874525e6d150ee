#include "tome/tensor/encode_k.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "tome/tensor/float16.h"
#include "tome/tensor/scale_search.h"

namespace tome {
namespace {

using Weights = std::array<float, kKBlockValues>;

constexpr int kRounds = 2;  // refits of the block's scales to the integers

// Returns how much each value's error counts: by its magnitude, because a large weight moves a sum
// more, plus the block's RMS, which keeps small weights in view. (RMS alone gives nearly the same.)
Weights ErrorWeights(KBlockSpan x) {
  float squares = 0;
  for (const float value : x) squares += value * value;
  const float typical = std::sqrt(squares / kKBlockValues);
  Weights weights;
  for (size_t j = 0; j < x.size(); ++j) weights[j] = typical + std::fabs(x[j]);
  return weights;
}

// Rounds to the nearest half, but never to zero: a scale too small for F16 becomes its smallest
// number.
float ToF16Scale(float value) {
  const float rounded = FloatFromF16(F16FromFloat(value));
  if (rounded != 0 || value == 0) return rounded;
  return std::copysign(FloatFromF16(1), value);
}

// An AffineBlock is a block of Q4_K or Q5_K before it is packed.
struct AffineBlock {
  float d = 0;
  float dmin = 0;
  std::array<ScaleAndMin, 8> scales{};
  std::array<float, kKBlockValues> q{};
  float error = std::numeric_limits<float>::infinity();
};

constexpr size_t kSubBlocks = 8;
constexpr size_t kSubValues = 32;
constexpr int kMaxScale = 63;

struct SubBlock {
  const float* x;
  const float* w;
  float high;
};

// Returns the error of a sub-block whose values are step * q - base, with the best integers q.
float SubBlockError(const SubBlock& sub, float step, float base) {
  const float inverse = step > 0 ? 1 / step : 0;
  float error = 0;
  for (size_t l = 0; l < kSubValues; ++l) {
    const float q = RoundClamped((sub.x[l] + base) * inverse, 0, sub.high);
    const float miss = sub.x[l] - (step * q - base);
    error += sub.w[l] * miss * miss;
  }
  return error;
}

// Returns the six-bit scale and minimum nearest to `fit`, or neighbours of them where their
// roundings together give a smaller error.
ScaleAndMin ChooseScale(const SubBlock& sub, const AffineFit& fit, float d, float dmin,
                        float& error) {
  const int scale = static_cast<int>(RoundClamped(d > 0 ? fit.scale / d : 0, 0, kMaxScale));
  const int min = static_cast<int>(RoundClamped(dmin > 0 ? -fit.offset / dmin : 0, 0, kMaxScale));
  ScaleAndMin best{};
  error = std::numeric_limits<float>::infinity();
  for (int s = std::max(scale - 1, 0); s <= std::min(scale + 1, kMaxScale); ++s) {
    for (int m = std::max(min - 1, 0); m <= std::min(min + 1, kMaxScale); ++m) {
      const float trial =
          SubBlockError(sub, d * static_cast<float>(s), dmin * static_cast<float>(m));
      if (!(trial < error)) continue;
      error = trial;
      best = {static_cast<uint8_t>(s), static_cast<uint8_t>(m)};
    }
  }
  return best;
}

AffineBlock RoundScales(KBlockSpan x, const Weights& w, const std::array<AffineFit, 8>& fits,
                        float high, float d, float dmin) {
  AffineBlock block{.d = d, .dmin = dmin, .error = 0};
  for (size_t s = 0; s < kSubBlocks; ++s) {
    const SubBlock sub{x.data() + s * kSubValues, w.data() + s * kSubValues, high};
    float error = 0;
    const auto chosen = ChooseScale(sub, fits[s], d, dmin, error);
    block.scales[s] = chosen;
    block.error += error;
    const float step = d * static_cast<float>(chosen.scale);
    const float inverse = step > 0 ? 1 / step : 0;
    const float base = dmin * static_cast<float>(chosen.min);
    for (size_t l = 0; l < kSubValues; ++l) {
      block.q[s * kSubValues + l] = RoundClamped((sub.x[l] + base) * inverse, 0, high);
    }
  }
  return block;
}

// Sets d and dmin to the least-squares fit for the integers of `block`:
// x = d * (scale q) - dmin * min. Leaves both as they are where that fit gives no usable scales.
void RefitScales(KBlockSpan x, const Weights& w, const AffineBlock& block, float& d, float& dmin) {
  double aa = 0;
  double ab = 0;
  double bb = 0;
  double ax = 0;
  double bx = 0;
  for (size_t j = 0; j < x.size(); ++j) {
    const ScaleAndMin scales = block.scales[j / kSubValues];
    const double a = static_cast<double>(scales.scale) * static_cast<double>(block.q[j]);
    const double b = -static_cast<double>(scales.min);
    aa += static_cast<double>(w[j]) * a * a;
    ab += static_cast<double>(w[j]) * a * b;
    bb += static_cast<double>(w[j]) * b * b;
    ax += static_cast<double>(w[j]) * a * static_cast<double>(x[j]);
    bx += static_cast<double>(w[j]) * b * static_cast<double>(x[j]);
  }
  const double determinant = aa * bb - ab * ab;
  const bool only_d = !(determinant > 1e-9 * aa * bb);
  const double new_d = only_d ? ax / aa : (ax * bb - bx * ab) / determinant;
  const double new_dmin = only_d ? static_cast<double>(dmin) : (bx * aa - ax * ab) / determinant;
  if (!(new_d > 0) || !(new_dmin >= 0)) return;  // also where aa is 0 and new_d no number
  if (only_d && bb > 0) return;
  d = ToF16Scale(static_cast<float>(new_d));
  dmin = ToF16Scale(static_cast<float>(new_dmin));
}

AffineBlock FitAffine(KBlockSpan x, int high) {
  const Weights w = ErrorWeights(x);
  std::array<AffineFit, 8> fits;
  float max_scale = 0;
  float max_min = 0;
  for (size_t s = 0; s < fits.size(); ++s) {
    fits[s] =
        SearchAffine(x.subspan(s * kSubValues, kSubValues),
                     std::span(w).subspan(s * kSubValues, kSubValues), high, Offset::kNotPositive);
    max_scale = std::max(max_scale, fits[s].scale);
    max_min = std::max(max_min, -fits[s].offset);
  }
  float d = ToF16Scale(max_scale / kMaxScale);
  float dmin = ToF16Scale(max_min / kMaxScale);
  AffineBlock best;
  for (int round = 0; round <= kRounds; ++round) {
    const AffineBlock block = RoundScales(x, w, fits, static_cast<float>(high), d, dmin);
    if (!(block.error < best.error)) break;
    best = block;
    RefitScales(x, w, block, d, dmin);
  }
  return best;
}

template <typename Block>
void PackAffine(const AffineBlock& fit, Block& block) {
  block.d = F16FromFloat(fit.d);
  block.dmin = F16FromFloat(fit.dmin);
  ScaleAndMin scales[kSubBlocks];
  std::copy(fit.scales.begin(), fit.scales.end(), scales);
  PackScales(scales, block.scales);
  for (size_t s = 0; s < kSubBlocks; ++s) {
    for (size_t l = 0; l < kSubValues; ++l) {
      const auto q = static_cast<int>(fit.q[s * kSubValues + l]);
      uint8_t& byte = block.qs[kSubValues * (s / 2) + l];
      byte = static_cast<uint8_t>(byte | (q & 15) << (s % 2 * 4));
    }
  }
}

// In Q6_K the sub-blocks have no minimum, and the scale of a block may be negative.
constexpr int kQ6SubBlocks = 16;
constexpr int kQ6SubValues = 16;

struct SymmetricBlock {
  float d = 0;
  std::array<float, kQ6SubBlocks> scales{};
  std::array<float, kKBlockValues> q{};
  float error = std::numeric_limits<float>::infinity();
};

void RoundQ6(const float* x, float step, float* q) {
  const float inverse = step != 0 ? 1 / step : 0;
  for (int l = 0; l < kQ6SubValues; ++l) q[l] = RoundClamped(x[l] * inverse, -32, 31);
}

SymmetricBlock RoundScales(KBlockSpan x, const Weights& w,
                           const std::array<float, kQ6SubBlocks>& fits, float d) {
  SymmetricBlock block{.d = d, .error = 0};
  for (size_t s = 0; s < fits.size(); ++s) {
    const size_t begin = s * kQ6SubValues;
    const float nearest = RoundClamped(d != 0 ? fits[s] / d : 0, -128, 127);
    float least = std::numeric_limits<float>::infinity();
    for (const float scale : {nearest, nearest - 1, nearest + 1}) {
      if (scale < -128 || scale > 127) continue;
      std::array<float, kQ6SubValues> q{};
      RoundQ6(x.data() + begin, d * scale, q.data());
      float error = 0;
      for (size_t l = 0; l < q.size(); ++l) {
        const float miss = x[begin + l] - d * scale * q[l];
        error += w[begin + l] * miss * miss;
      }
      if (!(error < least)) continue;
      least = error;
      block.scales[s] = scale;
      std::copy(q.begin(), q.end(), block.q.begin() + static_cast<ptrdiff_t>(begin));
    }
    block.error += least;
  }
  return block;
}

float RefitScale(KBlockSpan x, const Weights& w, const SymmetricBlock& block) {
  double aa = 0;
  double ax = 0;
  for (size_t j = 0; j < x.size(); ++j) {
    const double a =
        static_cast<double>(block.scales[j / kQ6SubValues]) * static_cast<double>(block.q[j]);
    aa += static_cast<double>(w[j]) * a * a;
    ax += static_cast<double>(w[j]) * a * static_cast<double>(x[j]);
  }
  return aa > 0 ? ToF16Scale(static_cast<float>(ax / aa)) : block.d;
}

}  // namespace

BlockQ4_K EncodeQ4_K(KBlockSpan x) {
  BlockQ4_K block{};
  PackAffine(FitAffine(x, 15), block);
  return block;
}

BlockQ5_K EncodeQ5_K(KBlockSpan x) {
  const AffineBlock fit = FitAffine(x, 31);
  BlockQ5_K block{};
  PackAffine(fit, block);
  for (size_t j = 0; j < fit.q.size(); ++j) {
    const auto q = static_cast<int>(fit.q[j]);
    uint8_t& byte = block.qh[j % kSubValues];
    byte = static_cast<uint8_t>(byte | q >> 4 << (j / kSubValues));
  }
  return block;
}

BlockQ6_K EncodeQ6_K(KBlockSpan x) {
  const Weights w = ErrorWeights(x);
  std::array<float, kQ6SubBlocks> fits{};
  for (size_t s = 0; s < fits.size(); ++s) {
    fits[s] = SearchScale(x.subspan(s * kQ6SubValues, kQ6SubValues),
                          std::span(w).subspan(s * kQ6SubValues, kQ6SubValues), -32, 31);
  }
  const float extreme = *std::max_element(
      fits.begin(), fits.end(), [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  float d = ToF16Scale(extreme / -128);  // the range is longer on the negative side
  SymmetricBlock fit;
  for (int round = 0; round <= kRounds; ++round) {
    const SymmetricBlock trial = RoundScales(x, w, fits, d);
    if (!(trial.error < fit.error)) break;
    fit = trial;
    d = RefitScale(x, w, fit);
  }
  BlockQ6_K block{};
  block.d = F16FromFloat(fit.d);
  for (size_t s = 0; s < fit.scales.size(); ++s) {
    block.scales[s] = static_cast<int8_t>(fit.scales[s]);
  }
  for (int j = 0; j < kKBlockValues; ++j) {
    const int q = static_cast<int>(fit.q[static_cast<size_t>(j)]) + 32;
    const int half = j / 128;
    const int g = j % 128 / 32;
    uint8_t& low = block.ql[64 * half + 32 * (g % 2) + j % 32];
    uint8_t& high = block.qh[32 * half + j % 32];
    low = static_cast<uint8_t>(low | (q & 15) << (g / 2 * 4));
    high = static_cast<uint8_t>(high | q >> 4 << (2 * g));
  }
  return block;
}

}  // namespace tome
