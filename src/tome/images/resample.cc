#include "tome/images/resample.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "tome/base/error.h"

namespace tome {
namespace {

// Binary places of a weight. A sum of weights times 255 then fits 32 bits with their signs.
constexpr int kWeightBits = 22;
constexpr int32_t kHalf = int32_t{1} << (kWeightBits - 1);

double Bilinear(double x) {
  x = std::abs(x);
  return x < 1 ? 1 - x : 0;
}

double Bicubic(double x) {
  x = std::abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

// The input pixels that an output pixel is made of.
struct Taps {
  int64_t first = 0;
  std::vector<int32_t> weights;
};

std::vector<Taps> TapsOf(int64_t in, int64_t out, ResampleFilter filter) {
  const auto value = filter == ResampleFilter::kBicubic ? Bicubic : Bilinear;
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double widened = std::max(scale, 1.0);
  const double radius = (filter == ResampleFilter::kBicubic ? 2.0 : 1.0) * widened;
  std::vector<Taps> taps(static_cast<size_t>(out));
  std::vector<double> weights;
  for (int64_t i = 0; i < out; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    // Whole pixels whose centres lie within the radius; the conversion cuts towards zero.
    const auto first = std::max<int64_t>(0, static_cast<int64_t>(centre - radius + 0.5));
    const auto end = std::min(in, static_cast<int64_t>(centre + radius + 0.5));
    weights.clear();
    double sum = 0;
    for (int64_t j = first; j < end; ++j) {
      weights.push_back(value((static_cast<double>(j) - centre + 0.5) * (1.0 / widened)));
      sum += weights.back();
    }
    Taps& to = taps[static_cast<size_t>(i)];
    to.first = first;
    for (const double weight : weights) {
      const double scaled = (sum != 0 ? weight / sum : weight) * (int64_t{1} << kWeightBits);
      to.weights.push_back(static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
    }
  }
  return taps;
}

uint8_t Rounded(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

Image ResampleRows(const Image& image, int64_t width, ResampleFilter filter) {
  const std::vector<Taps> taps = TapsOf(image.width, width, filter);
  Image out = BlankImage(width, image.height);
  uint8_t* to = out.rgb.data();
  for (int64_t y = 0; y < image.height; ++y) {
    const uint8_t* const row = image.row(y).data();
    for (const Taps& tap : taps) {
      int32_t sums[kImageChannels] = {kHalf, kHalf, kHalf};
      const uint8_t* pixel = row + tap.first * kImageChannels;
      for (const int32_t weight : tap.weights) {
        for (int32_t& sum : sums) sum += weight * *pixel++;
      }
      for (const int32_t sum : sums) *to++ = Rounded(sum);
    }
  }
  return out;
}

Image ResampleColumns(const Image& image, int64_t height, ResampleFilter filter) {
  const std::vector<Taps> taps = TapsOf(image.height, height, filter);
  Image out = BlankImage(image.width, height);
  std::vector<int32_t> sums(static_cast<size_t>(image.width * kImageChannels));
  uint8_t* to = out.rgb.data();
  for (const Taps& tap : taps) {
    std::fill(sums.begin(), sums.end(), kHalf);
    int64_t y = tap.first;
    for (const int32_t weight : tap.weights) {
      const uint8_t* pixel = image.row(y++).data();
      for (int32_t& sum : sums) sum += weight * *pixel++;
    }
    for (const int32_t sum : sums) *to++ = Rounded(sum);
  }
  return out;
}

}  // namespace

Image Resample(const Image& image, int64_t width, int64_t height, ResampleFilter filter) {
  TOME_CHECK(image.pixels() > 0 && width > 0 && height > 0);
  if (width == image.width) {
    return height == image.height ? image : ResampleColumns(image, height, filter);
  }
  Image wide = ResampleRows(image, width, filter);
  return height == image.height ? std::move(wide) : ResampleColumns(wide, height, filter);
}

}  // namespace tome
