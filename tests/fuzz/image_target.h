// The fuzz target of every image decoder checks that any bytes give an Error, or all the pixels that
// the header named.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tome/base/error.h"
#include "tome/images/decode.h"
#include "tome/images/formats.h"

namespace tome {

inline int FuzzImage(StoredImage (*decode)(std::span<const std::byte> bytes), const uint8_t* data,
                     size_t size) {
  // A second of fuzzing decodes thousands of small images, or one large one.
  constexpr int64_t kMaxPixels = 1 << 20;
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const ImageSize named = ReadImageSize(bytes);
    TOME_CHECK(named.width > 0 && named.height > 0 &&
               named.width <= kMaxImagePixels / named.height);
    if (named.width * named.height > kMaxPixels) return 0;
  } catch (const Error& error) {
    TOME_CHECK(error.what()[0] != '\0');
    // The decoder by itself must not take what the header alone is refused for.
  }
  try {
    const StoredImage image = decode(bytes);
    TOME_CHECK(image.channels == 3 || image.channels == 4);
    TOME_CHECK(image.pixels.size() == static_cast<size_t>(image.size.width * image.size.height) *
                                          static_cast<size_t>(image.channels));
    TOME_CHECK(image.orientation >= 1 && image.orientation <= 8);
    const Image upright = DecodeImage(bytes);
    TOME_CHECK(upright.pixels() == image.size.width * image.size.height);
  } catch (const Error& error) {
    TOME_CHECK(error.what()[0] != '\0');
  }
  return 0;
}

}  // namespace tome
