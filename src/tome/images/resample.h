// Resample changes the size of an image as Pillow's Image.resize did up to version 12, to the bit:
// vision models are trained on images that it resampled. (Pillow 13 begins with the vertical
// direction where the image becomes much lower, and so rounds otherwise.)
//
// Both directions are filtered one after the other, the horizontal one first. With the scale
// s = in / out and σ = max(s, 1), output pixel i is the mean of the input pixels j around its
// centre c = (i + 1/2) s, weighted by f((j + 1/2 − c) / σ): the filter is widened when the image
// shrinks, which keeps it free of aliases. Weights are rounded to 22 binary places after they were
// made to sum to 1, and each direction's sums to 8 bits.
//
//   kBilinear  f(x) = 1 − |x|                               for |x| < 1
//   kBicubic   f(x) = 3/2 |x|³ − 5/2 x² + 1                 for |x| < 1
//              f(x) = −1/2 |x|³ + 5/2 x² − 4 |x| + 2        for |x| < 2
//   (Keys, 1981, with a = −1/2)
#pragma once

#include <cstdint>

#include "tome/images/image.h"

namespace tome {

enum class ResampleFilter { kBilinear, kBicubic };

// Both sizes must be positive. Costs about 4 σ products for each value of both directions' results,
// and the memory of the image between them, width x the old height.
Image Resample(const Image& image, int64_t width, int64_t height, ResampleFilter filter);

}  // namespace tome
