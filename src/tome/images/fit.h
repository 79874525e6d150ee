// FitImage makes the square that a vision model looks at, as the model was trained: CLIP's shortest
// side and centre crop, or SigLIP's square of both sides.
//
// What follows, x = (pixel / 255 − mean) / deviation, is the model's own part (models/clip.h): so a
// fitted image is a few hundred kilobytes, which the process that decodes files hands over whole.
#pragma once

#include <cstdint>
#include <string>

#include "tome/images/image.h"
#include "tome/images/resample.h"

namespace tome {

enum class FitMethod {
  // The shorter side becomes `resize` pixels, the longer one int(resize · longer / shorter); then
  // the middle is cut out.
  kShortestSide,
  kSquash,  // both sides become `size` pixels, whatever the proportions were
};

// Says where the middle begins when an odd number of pixels is cut off: half of it.
enum class CropRounding {
  kDown,        // transformers
  kHalfToEven,  // torchvision, as OpenCLIP uses it
};

// How an image becomes a square. Two models of equal fits can share fitted images.
struct ImageFit {
  int64_t size = 0;    // pixels of each side of the square
  int64_t resize = 0;  // of the shorter side, at least `size`
  FitMethod method = FitMethod::kShortestSide;
  ResampleFilter filter = ResampleFilter::kBicubic;
  CropRounding rounding = CropRounding::kDown;

  friend bool operator==(const ImageFit&, const ImageFit&) = default;
};

// Limits `size` and `resize`. The largest published models look at 896 pixels.
inline constexpr int64_t kMaxFitPixels = 2048;
// Limits the sides' proportion: a line of 1 x 100,000 pixels would become gigabytes wide.
inline constexpr int64_t kMaxProportion = 64;

// Throws Error(kCorrupt) for a fit that is out of range.
void CheckFit(const ImageFit& fit);

// Returns a square of `fit.size` pixels. Throws Error(kUnsupported) for an image whose sides are
// further from each other than kMaxProportion, where the shorter side decides.
Image FitImage(const Image& image, const ImageFit& fit);

// A fit as one word ("336-336-shortest-bicubic-down"), which ParseFit reads: the reader process is
// told it so, and the store keeps it. ParseFit throws Error(kInvalidArgument) for another text.
std::string FormatFit(const ImageFit& fit);
ImageFit ParseFit(const std::string& text);

}  // namespace tome
