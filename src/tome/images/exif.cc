#include "tome/images/exif.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace tome {
namespace {

constexpr uint64_t kOrientationTag = 0x0112;
constexpr uint64_t kShortType = 3;
constexpr size_t kEntryBytes = 12;

// Reads whole numbers of either byte order. Empty past the end.
struct TiffBytes {
  std::span<const std::byte> bytes;
  bool big_endian = false;

  std::optional<uint64_t> Number(uint64_t at, size_t size) const {
    if (at > bytes.size() || bytes.size() - at < size) return std::nullopt;
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      const size_t from = static_cast<size_t>(at) + (big_endian ? i : size - 1 - i);
      value = value << 8 | std::to_integer<uint64_t>(bytes[from]);
    }
    return value;
  }
};

}  // namespace

int ExifOrientation(std::span<const std::byte> tiff) {
  TiffBytes file{.bytes = tiff};
  const auto order = file.Number(0, 2);
  if (order != 0x4949 && order != 0x4D4D) return 1;
  file.big_endian = order == 0x4D4D;
  if (file.Number(2, 2) != 42) return 1;
  const auto directory = file.Number(4, 4);
  if (!directory) return 1;
  const uint64_t entries = file.Number(*directory, 2).value_or(0);
  for (uint64_t i = 0; i < entries; ++i) {
    const uint64_t at = *directory + 2 + i * kEntryBytes;
    const auto tag = file.Number(at, 2);
    if (!tag) return 1;
    if (*tag != kOrientationTag) continue;
    const uint64_t value = file.Number(at + 8, 2).value_or(0);
    const bool plain = file.Number(at + 2, 2) == kShortType && value >= 1 && value <= 8;
    return plain ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image Upright(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  // Orientations from 5 on exchange rows and columns.
  const bool swapped = orientation >= 5;
  const int64_t width = swapped ? image.height : image.width;
  const int64_t height = swapped ? image.width : image.height;
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_below =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image out = BlankImage(width, height);
  uint8_t* to = out.rgb.data();
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      int64_t column = swapped ? y : x;
      int64_t row = swapped ? x : y;
      if (from_right) column = image.width - 1 - column;
      if (from_below) row = image.height - 1 - row;
      const uint8_t* const from = image.rgb.data() + (row * image.width + column) * kImageChannels;
      to = std::copy_n(from, kImageChannels, to);
    }
  }
  return out;
}

}  // namespace tome
