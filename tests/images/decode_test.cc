// Compares with Pillow (tests/golden/images/README.md), and gives the decoders damaged files.
#include "tome/images/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/expect_error.h"
#include "tests/images/golden_images.h"

namespace tome {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

Image Decode(const std::string& bytes) { return DecodeImage(BytesOf(bytes)); }

std::string DecodeError(const std::string& bytes) {
  return ErrorText([&] { Decode(bytes); });
}

// Returns a JPEG whose frame names this size.
std::string ResizedJpeg(int width, int height) {
  std::string bytes = GoldenFile("colour.jpg");
  const size_t frame = bytes.find("\xFF\xC0");
  bytes[frame + 5] = static_cast<char>(height >> 8);
  bytes[frame + 6] = static_cast<char>(height & 255);
  bytes[frame + 7] = static_cast<char>(width >> 8);
  bytes[frame + 8] = static_cast<char>(width & 255);
  return bytes;
}

uint32_t Crc(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

void PutNumber(std::string& bytes, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (24 - 8 * i) & 255);
}

// Returns a PNG whose header, with a right checksum, names this size.
std::string ResizedPng(uint32_t width, uint32_t height) {
  std::string bytes = GoldenFile("colour.png");
  PutNumber(bytes, 16, width);
  PutNumber(bytes, 20, height);
  PutNumber(bytes, 29, Crc(std::string_view(bytes).substr(12, 17)));
  return bytes;
}

TEST(DecodeTest, AgreesWithPillow) {
  const auto names = GoldenNames("file ");
  ASSERT_EQ(names.size(), 28U);
  for (const std::string& name : names) {
    const Image expected = GoldenImage("file " + name);
    const std::string bytes = GoldenFile(name);
    // Lossy formats may differ by a rounding between versions of their libraries.
    const bool lossy = name.ends_with(".jpg") || name == "lossy.webp";
    EXPECT_LE(WorstDifference(Decode(bytes), expected), lossy ? 2 : 0) << name;
    const ImageSize size = ReadImageSize(BytesOf(bytes));
    EXPECT_EQ(size.width * size.height, expected.pixels()) << name;
  }
}

TEST(DecodeTest, FormatsAreToldByTheirFirstBytes) {
  EXPECT_EQ(ImageFormatOf(BytesOf(GoldenFile("grey.jpg"))), ImageFormat::kJpeg);
  EXPECT_EQ(ImageFormatOf(BytesOf(GoldenFile("grey.png"))), ImageFormat::kPng);
  EXPECT_EQ(ImageFormatOf(BytesOf(GoldenFile("lossy.webp"))), ImageFormat::kWebp);
  for (const std::string bytes : {"", "\xFF\xD8", "GIF89a", "RIFF....WAVE", "\x89PNG"}) {
    EXPECT_EQ(ImageFormatOf(BytesOf(bytes)), std::nullopt);
    EXPECT_THAT(DecodeError(bytes), HasSubstr("unsupported: is no JPEG, PNG or WebP"));
  }
}

TEST(DecodeTest, SizesPastTheLimitAreRefusedBeforeAnythingIsAllocated) {
  EXPECT_THAT(DecodeError(ResizedJpeg(65000, 65000)),
              HasSubstr("out_of_memory: the image has 65000 x 65000 pixels, and at most 64"));
  EXPECT_THAT(DecodeError(ResizedPng(900'000, 900'000)),
              HasSubstr("out_of_memory: the image has 900000 x 900000 pixels"));
  // 2^31 − 1 is the largest size that the format allows, and past what the decoder is told.
  EXPECT_THAT(DecodeError(ResizedPng(0x7FFFFFFF, 0x7FFFFFFF)),
              AnyOf(HasSubstr("corrupt"), HasSubstr("out_of_memory")));
  EXPECT_THAT(DecodeError(ResizedPng(0, 5)), HasSubstr("corrupt"));
  std::string webp = GoldenFile("lossless.webp");
  const size_t header = webp.find("VP8L") + 9;  // 14 bits of width − 1, 14 of height − 1
  std::memset(webp.data() + header, 0xFF, 3);
  webp[header + 3] = static_cast<char>(webp[header + 3] | 0x0F);
  EXPECT_THAT(DecodeError(webp), HasSubstr("out_of_memory: the image has 16384 x 16384 pixels"));
}

TEST(DecodeTest, AProgressiveImageCountsItsCoefficients) {
  // 9 bytes a pixel: 3 of the image and 6 of coefficients.
  std::string bytes = GoldenFile("progressive.jpg");
  const size_t frame = bytes.find("\xFF\xC2");
  for (const size_t at : {frame + 5, frame + 7}) {
    bytes[at] = static_cast<char>(6000 >> 8);
    bytes[at + 1] = static_cast<char>(6000 & 255);
  }
  EXPECT_THAT(DecodeError(bytes),
              HasSubstr("out_of_memory: the image has 6000 x 6000 pixels of 9 bytes"));
}

TEST(DecodeTest, AProgressiveImageOfManyScansIsRefused) {
  // The last scan is repeated: a small file that would keep the decoder busy for long.
  const std::string bytes = GoldenFile("progressive.jpg");
  const size_t scan = bytes.rfind("\xFF\xDA");
  const std::string repeated = bytes.substr(scan, bytes.size() - 2 - scan);
  std::string many = bytes.substr(0, scan);
  for (int i = 0; i < 500; ++i) many += repeated;
  many += bytes.substr(bytes.size() - 2);
  EXPECT_THAT(DecodeError(many), HasSubstr("unsupported: the JPEG image cannot be read: it has "
                                           "more than 100 scans"));
}

TEST(DecodeTest, TruncatedFilesAreRefused) {
  for (const std::string name : {"colour.jpg", "progressive.jpg", "colour.png", "interlaced.png",
                                 "lossless.webp", "lossy.webp", "alpha.webp"}) {
    const std::string bytes = GoldenFile(name);
    for (size_t size = 0; size < bytes.size() - 30; size += 1 + size / 9) {
      const std::string error = DecodeError(bytes.substr(0, size));
      EXPECT_THAT(error, AnyOf(HasSubstr("corrupt"), HasSubstr("unsupported: is no JPEG")))
          << name << " cut to " << size;
    }
  }
}

TEST(DecodeTest, DamagedFilesGiveAnErrorOrAnImage) {
  std::mt19937 random(1);
  for (const std::string& name : GoldenNames("file ")) {
    const std::string whole = GoldenFile(name);
    for (int round = 0; round < 60; ++round) {
      std::string bytes = whole;
      for (int change = 0; change < 3; ++change) {
        bytes[random() % bytes.size()] = static_cast<char>(random() & 255);
      }
      const auto error = ErrorOf([&] {
        const Image image = Decode(bytes);
        EXPECT_EQ(image.rgb.size(), static_cast<size_t>(image.pixels() * 3));
      });
      if (error) {
        EXPECT_NE(error->what()[0], '\0');
      }
    }
  }
}

TEST(DecodeTest, AnimationsAreRefused) {
  using namespace std::string_literals;
  std::string bytes = "RIFF\x1E\0\0\0WEBPVP8X\x0A\0\0\0\x02\0\0\0\x07\0\0\x07\0\0ANIM\0\0\0\0"s;
  EXPECT_THAT(DecodeError(bytes), HasSubstr("unsupported: is an animated WebP"));
}

}  // namespace
}  // namespace tome
