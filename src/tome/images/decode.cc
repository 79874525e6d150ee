#include "tome/images/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "tome/base/error.h"
#include "tome/images/exif.h"
#include "tome/images/formats.h"

namespace tome {
namespace {

bool HasAt(std::span<const std::byte> bytes, size_t at, std::string_view magic) {
  return bytes.size() >= at + magic.size() &&
         std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

ImageFormat FormatOf(std::span<const std::byte> bytes) {
  if (const auto format = ImageFormatOf(bytes)) return *format;
  throw Error(Code::kUnsupported, "is no JPEG, PNG or WebP image");
}

// Returns value · alpha / 255 + 255 · (255 − alpha) / 255, rounded.
uint8_t OnWhite(uint8_t value, uint8_t alpha) {
  const int sum = value * alpha + 255 * (255 - alpha);
  return static_cast<uint8_t>((2 * sum + 255) / 510);
}

// Blends the pixels with white and drops the alpha channel, in place.
void Flatten(StoredImage& image) {
  if (image.channels == 3) return;
  const size_t pixels = image.pixels.size() / 4;
  for (size_t i = 0; i < pixels; ++i) {
    const uint8_t alpha = image.pixels[4 * i + 3];
    for (size_t c = 0; c < 3; ++c) {
      image.pixels[3 * i + c] = OnWhite(image.pixels[4 * i + c], alpha);
    }
  }
  image.pixels.resize(3 * pixels);
  image.channels = 3;
}

}  // namespace

std::string_view NameOf(ImageFormat format) {
  if (format == ImageFormat::kJpeg) return "jpeg";
  return format == ImageFormat::kPng ? "png" : "webp";
}

std::optional<ImageFormat> ImageFormatOf(std::span<const std::byte> bytes) {
  if (HasAt(bytes, 0, "\xFF\xD8\xFF")) return ImageFormat::kJpeg;
  if (HasAt(bytes, 0, "\x89PNG\r\n\x1A\n")) return ImageFormat::kPng;
  if (HasAt(bytes, 0, "RIFF") && HasAt(bytes, 8, "WEBP")) return ImageFormat::kWebp;
  return std::nullopt;
}

void CheckImageSize(ImageSize size, int64_t bytes_per_pixel) {
  if (size.width <= 0 || size.height <= 0) {
    throw Error(Code::kCorrupt, fmt::format("the image's header says that it has {} x {} pixels",
                                            size.width, size.height));
  }
  // Compared by division, since the product of two numbers of a header may wrap.
  if (size.width > kMaxImagePixels / size.height) {
    throw Error(Code::kOutOfMemory,
                fmt::format("the image has {} x {} pixels, and at most {} million are read; make "
                            "it smaller",
                            size.width, size.height, kMaxImagePixels / 1'000'000));
  }
  if (size.width * size.height > kMaxDecodedBytes / bytes_per_pixel) {
    throw Error(Code::kOutOfMemory,
                fmt::format("the image has {} x {} pixels of {} bytes while it is decoded, and at "
                            "most {} MiB are; make it smaller",
                            size.width, size.height, bytes_per_pixel, kMaxDecodedBytes >> 20));
  }
}

ImageSize ReadImageSize(std::span<const std::byte> bytes) {
  switch (FormatOf(bytes)) {
    case ImageFormat::kJpeg:
      return JpegSize(bytes);
    case ImageFormat::kPng:
      return PngSize(bytes);
    case ImageFormat::kWebp:
      break;
  }
  return WebpSize(bytes);
}

Image DecodeImage(std::span<const std::byte> bytes) {
  const ImageFormat format = FormatOf(bytes);
  StoredImage stored = format == ImageFormat::kJpeg  ? DecodeJpeg(bytes)
                       : format == ImageFormat::kPng ? DecodePng(bytes)
                                                     : DecodeWebp(bytes);
  Flatten(stored);
  return Upright(
      {.width = stored.size.width, .height = stored.size.height, .rgb = std::move(stored.pixels)},
      stored.orientation);
}

}  // namespace tome
