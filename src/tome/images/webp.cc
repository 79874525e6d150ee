// WebP by libwebp.
#include <webp/decode.h>

#include <cstring>
#include <string_view>

#include "tome/base/error.h"
#include "tome/images/exif.h"
#include "tome/images/formats.h"

namespace tome {
namespace {

constexpr size_t kRiffHeaderBytes = 12;
constexpr size_t kChunkHeaderBytes = 8;

const uint8_t* DataOf(std::span<const std::byte> bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

WebPBitstreamFeatures FeaturesOf(std::span<const std::byte> bytes) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(DataOf(bytes), bytes.size(), &features) != VP8_STATUS_OK) {
    throw Error(Code::kCorrupt, "the WebP image cannot be read: its header is damaged");
  }
  if (features.has_animation != 0) {
    throw Error(Code::kUnsupported, "is an animated WebP image; only still images are read");
  }
  return features;
}

ImageSize CheckedSize(const WebPBitstreamFeatures& features) {
  const ImageSize size{.width = features.width, .height = features.height};
  CheckImageSize(size, 4);
  return size;
}

// Returns the data of the file's first chunk of this name; empty where there is none. A chunk is a
// name of four bytes, a size, and data that is padded to an even length.
std::span<const std::byte> ChunkOf(std::span<const std::byte> bytes, std::string_view name) {
  size_t at = kRiffHeaderBytes;
  while (at <= bytes.size() && bytes.size() - at >= kChunkHeaderBytes) {
    uint64_t size = 0;
    for (size_t i = 0; i < 4; ++i) {
      size |= std::to_integer<uint64_t>(bytes[at + 4 + i]) << (8 * i);
    }
    const bool found = std::memcmp(bytes.data() + at, name.data(), name.size()) == 0;
    at += kChunkHeaderBytes;
    if (size > bytes.size() - at) return {};
    if (found) return bytes.subspan(at, static_cast<size_t>(size));
    at += static_cast<size_t>(size + size % 2);
  }
  return {};
}

int OrientationOf(std::span<const std::byte> bytes) {
  std::span<const std::byte> exif = ChunkOf(bytes, "EXIF");
  constexpr std::string_view kHeader("Exif\0\0", 6);  // which some programs write
  if (exif.size() >= kHeader.size() &&
      std::memcmp(exif.data(), kHeader.data(), kHeader.size()) == 0) {
    exif = exif.subspan(kHeader.size());
  }
  return ExifOrientation(exif);
}

}  // namespace

ImageSize WebpSize(std::span<const std::byte> bytes) { return CheckedSize(FeaturesOf(bytes)); }

StoredImage DecodeWebp(std::span<const std::byte> bytes) {
  const WebPBitstreamFeatures features = FeaturesOf(bytes);
  StoredImage image{.size = CheckedSize(features),
                    .channels = features.has_alpha != 0 ? 4 : 3,
                    .pixels = {},
                    .orientation = OrientationOf(bytes)};
  const int stride = features.width * image.channels;
  image.pixels.resize(static_cast<size_t>(stride) * static_cast<size_t>(features.height));
  const auto decode = features.has_alpha != 0 ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  if (decode(DataOf(bytes), bytes.size(), image.pixels.data(), image.pixels.size(), stride) ==
      nullptr) {
    throw Error(Code::kCorrupt, "the WebP image cannot be read: its data is damaged or ends early");
  }
  return image;
}

}  // namespace tome
