#include "tome/images/exif.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/images/golden_images.h"

namespace tome {
namespace {

int OrientationOf(const std::string& tiff) { return ExifOrientation(BytesOf(tiff)); }

std::string LittleEndian(char value) {
  using namespace std::string_literals;
  return "II\x2A\0\x08\0\0\0"s + "\x02\0"s +  // two entries
         "\x0F\x01\x02\0\x01\0\0\0ABC\0"s +   // the maker
         "\x12\x01\x03\0\x01\0\0\0"s + value + "\0\0\0"s + "\0\0\0\0"s;
}

TEST(ExifTest, ReadsTheOrientationOfBothByteOrders) {
  using namespace std::string_literals;
  for (int value = 1; value <= 8; ++value) {
    EXPECT_EQ(OrientationOf(LittleEndian(static_cast<char>(value))), value);
    EXPECT_EQ(OrientationOf("MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s +
                            static_cast<char>(value) + "\0\0"s),
              value);
  }
}

TEST(ExifTest, DamagedMetadataMeansUpright) {
  using namespace std::string_literals;
  const std::string whole = LittleEndian(6);
  for (size_t size = 0; size < whole.size() - 6; ++size) {
    EXPECT_EQ(OrientationOf(whole.substr(0, size)), 1) << size;
  }
  EXPECT_EQ(OrientationOf(LittleEndian(0)), 1);
  EXPECT_EQ(OrientationOf(LittleEndian(9)), 1);
  EXPECT_EQ(OrientationOf("II\x2A\0\xFF\xFF\xFF\xFF"s), 1);
  EXPECT_EQ(OrientationOf("II\x2B\0\x08\0\0\0"s), 1);
  EXPECT_EQ(OrientationOf("II\x2A\0\x08\0\0\0\xFF\xFF"s), 1);
}

TEST(ExifTest, OrientationsByHand) {
  // a b c
  // d e f
  Image image = BlankImage(3, 2);
  for (size_t i = 0; i < 6; ++i) image.rgb[3 * i] = static_cast<uint8_t>('a' + i);
  const auto shown = [&](int orientation) {
    const Image out = Upright(image, orientation);
    std::string text;
    for (int64_t y = 0; y < out.height; ++y) {
      for (int64_t x = 0; x < out.width; ++x) {
        text += static_cast<char>(out.row(y)[static_cast<size_t>(3 * x)]);
      }
      text += ' ';
    }
    return text;
  };
  EXPECT_EQ(shown(1), "abc def ");
  EXPECT_EQ(shown(2), "cba fed ");
  EXPECT_EQ(shown(3), "fed cba ");
  EXPECT_EQ(shown(4), "def abc ");
  EXPECT_EQ(shown(5), "ad be cf ");
  EXPECT_EQ(shown(6), "da eb fc ");
  EXPECT_EQ(shown(7), "fc eb da ");
  EXPECT_EQ(shown(8), "cf be ad ");
  EXPECT_EQ(shown(77), "abc def ");
}

}  // namespace
}  // namespace tome
