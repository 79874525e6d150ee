// An Image is a picture in memory: RGB, 8 bits a channel, upright, without transparency. The
// decoders (decode.h) make one of a file, and fit.h makes of it what a vision model looks at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tome {

inline constexpr int64_t kImageChannels = 3;

struct Image {
  int64_t width = 0;   // pixels
  int64_t height = 0;  // pixels
  // [height, width, 3], row-major, the upper row first; red, green, blue as sRGB values.
  std::vector<uint8_t> rgb;

  int64_t pixels() const { return width * height; }
  std::span<const uint8_t> row(int64_t y) const {
    const auto bytes = static_cast<size_t>(width * kImageChannels);
    return std::span(rgb).subspan(static_cast<size_t>(y) * bytes, bytes);
  }

  friend bool operator==(const Image&, const Image&) = default;
};

// Returns an image of zeros.
inline Image BlankImage(int64_t width, int64_t height) {
  return {.width = width,
          .height = height,
          .rgb = std::vector<uint8_t>(static_cast<size_t>(width * height * kImageChannels))};
}

}  // namespace tome
