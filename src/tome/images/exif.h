// The orientation of a photograph, from its Exif metadata.
//
// Exif is a small TIFF file: a byte order, "II" or "MM", the number 42, and the offset of a
// directory, which has 12 bytes for each entry: tag, type, count, value. The tag 0x0112 is the
// orientation, a short from 1 to 8 (Exif 2.3, 4.6.4):
//
//   1  upright      2  mirrored left to right     5  mirrored along the main diagonal
//   3  turned by half                 4  mirrored top to bottom
//   6  to be turned right by a quarter            7  mirrored along the other diagonal
//   8  to be turned left by a quarter
#pragma once

#include <cstddef>
#include <span>

#include "tome/images/image.h"

namespace tome {

// Returns the orientation that a TIFF header's first directory gives: 1 where there is none, or
// where the bytes are damaged. An image is shown all the same then, as browsers do.
int ExifOrientation(std::span<const std::byte> tiff);

// Returns the image as it is meant to be seen. Another number than 1 to 8 counts as 1.
Image Upright(Image image, int orientation);

}  // namespace tome
