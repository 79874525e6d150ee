#include "tome/images/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include "tome/base/error.h"

namespace tome {
namespace {

// Returns where the middle of `inner` pixels begins among `outer` ones.
int64_t MiddleOf(int64_t outer, int64_t inner, CropRounding rounding) {
  const int64_t cut = outer - inner;
  const int64_t half = cut / 2;
  if (rounding == CropRounding::kDown || cut % 2 == 0) return half;
  return half + half % 2;
}

Image CropMiddle(const Image& image, int64_t size, CropRounding rounding) {
  const int64_t left = MiddleOf(image.width, size, rounding);
  const int64_t top = MiddleOf(image.height, size, rounding);
  Image out = BlankImage(size, size);
  uint8_t* to = out.rgb.data();
  for (int64_t y = 0; y < size; ++y) {
    const auto row = image.row(top + y).subspan(static_cast<size_t>(left * kImageChannels),
                                                static_cast<size_t>(size * kImageChannels));
    to = std::copy(row.begin(), row.end(), to);
  }
  return out;
}

int64_t NumberOf(std::string_view text) {
  int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

}  // namespace

void CheckFit(const ImageFit& fit) {
  if (fit.size < 1 || fit.size > kMaxFitPixels || fit.resize < fit.size ||
      fit.resize > kMaxFitPixels) {
    throw Error(Code::kCorrupt,
                fmt::format("images are to be resized to {} pixels and cut to {}; both must be "
                            "from 1 to {}, the second not larger than the first",
                            fit.resize, fit.size, kMaxFitPixels));
  }
}

Image FitImage(const Image& image, const ImageFit& fit) {
  CheckFit(fit);
  if (fit.method == FitMethod::kSquash) return Resample(image, fit.size, fit.size, fit.filter);
  const int64_t shorter = std::min(image.width, image.height);
  const int64_t longer = std::max(image.width, image.height);
  if (longer / shorter > kMaxProportion) {
    throw Error(Code::kUnsupported,
                fmt::format("the image has {} x {} pixels; one side is more than {} times the "
                            "other, and what a square shows of it would say nothing",
                            image.width, image.height, kMaxProportion));
  }
  // The references multiply before they divide, and cut off the fraction.
  const int64_t long_side = fit.resize * longer / shorter;
  const bool wide = image.width >= image.height;
  const Image resized =
      Resample(image, wide ? long_side : fit.resize, wide ? fit.resize : long_side, fit.filter);
  return CropMiddle(resized, fit.size, fit.rounding);
}

std::string FormatFit(const ImageFit& fit) {
  return fmt::format("{}-{}-{}-{}-{}", fit.size, fit.resize,
                     fit.method == FitMethod::kSquash ? "squash" : "shortest",
                     fit.filter == ResampleFilter::kBicubic ? "bicubic" : "bilinear",
                     fit.rounding == CropRounding::kDown ? "down" : "even");
}

ImageFit ParseFit(const std::string& text) {
  std::vector<std::string_view> words;
  for (std::string_view rest = text;;) {
    const size_t dash = rest.find('-');
    words.push_back(rest.substr(0, dash));
    if (dash == std::string_view::npos) break;
    rest.remove_prefix(dash + 1);
  }
  if (words.size() == 5) {
    const ImageFit fit{
        .size = NumberOf(words[0]),
        .resize = NumberOf(words[1]),
        .method = words[2] == "squash" ? FitMethod::kSquash : FitMethod::kShortestSide,
        .filter = words[3] == "bicubic" ? ResampleFilter::kBicubic : ResampleFilter::kBilinear,
        .rounding = words[4] == "down" ? CropRounding::kDown : CropRounding::kHalfToEven};
    if (FormatFit(fit) == text && fit.size >= 1 && fit.size <= fit.resize &&
        fit.resize <= kMaxFitPixels) {
      return fit;
    }
  }
  throw Error(Code::kInvalidArgument, fmt::format("\"{}\" is no fit of images", text));
}

}  // namespace tome
