// The decoders of the three formats, which decode.cc chooses from. They are no interface for
// others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tome/images/decode.h"

namespace tome {

// An image as its file has it: not yet upright, perhaps with transparency.
struct StoredImage {
  ImageSize size;
  int channels = 3;             // 3: RGB; 4: RGB and alpha, which is 255 for opaque pixels
  std::vector<uint8_t> pixels;  // [height, width, channels]
  int orientation = 1;          // as Exif counts it (exif.h)
};

// Throws Error(kCorrupt) for a size that is not positive, and Error(kOutOfMemory) for more pixels
// than kMaxImagePixels or for a decoder that would need more than kMaxDecodedBytes.
void CheckImageSize(ImageSize size, int64_t bytes_per_pixel);

ImageSize JpegSize(std::span<const std::byte> bytes);
StoredImage DecodeJpeg(std::span<const std::byte> bytes);

ImageSize PngSize(std::span<const std::byte> bytes);
StoredImage DecodePng(std::span<const std::byte> bytes);

ImageSize WebpSize(std::span<const std::byte> bytes);
StoredImage DecodeWebp(std::span<const std::byte> bytes);

}  // namespace tome
