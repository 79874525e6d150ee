// DecodeImage turns the bytes of a JPEG, PNG or WebP file into an Image.
//
// It handles every variant of the three formats that pictures of documents come in:
//   JPEG  baseline and progressive; grey, YCbCr, RGB, and CMYK or YCCK with Adobe's inverted values
//   PNG   grey, palette, RGB; 1 to 16 bits (of 16, the upper 8 are kept); interlaced
//   WebP  lossy and lossless; animations are refused
// Transparent pixels are blended with white, the colour of paper. The orientation that Exif gives
// is applied, so that the image is upright. Colour profiles and gamma are not.
//
// The bytes are untrusted. The decoders run in the process that reads documents
// (apps/tome-reader), under its limits on memory and time, and nothing is allocated before the
// header's size was checked against the limits below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tome/images/image.h"

namespace tome {

// Limits the pixels of an image. The largest cameras and page scans stay below it.
inline constexpr int64_t kMaxImagePixels = 64'000'000;
// Limits what the decoding of an image needs: its pixels with transparency and, for progressive
// JPEG, its coefficients.
inline constexpr int64_t kMaxDecodedBytes = int64_t{256} << 20;
// Limits the scans of a progressive JPEG. Each scan goes over the whole image again, and cameras
// and programs write about ten; a file of many thousand would take hours.
inline constexpr int kMaxJpegScans = 100;

enum class ImageFormat { kJpeg, kPng, kWebp };

// Returns "jpeg", "png" or "webp".
std::string_view NameOf(ImageFormat format);

// Returns the format of a file by its first bytes. Empty for other files.
std::optional<ImageFormat> ImageFormatOf(std::span<const std::byte> bytes);

struct ImageSize {
  int64_t width = 0;   // pixels, before the orientation is applied
  int64_t height = 0;  // pixels, before the orientation is applied
};

// Returns the size that the file's header names. Throws what DecodeImage throws for a header that
// is damaged or past the limits.
ImageSize ReadImageSize(std::span<const std::byte> bytes);

// Decodes a whole file. Throws Error(kCorrupt) for a damaged or truncated file, Error(kUnsupported)
// for one that is no image of these formats, is animated or has colours that cannot be converted,
// and Error(kOutOfMemory) for one past a limit.
Image DecodeImage(std::span<const std::byte> bytes);

}  // namespace tome
