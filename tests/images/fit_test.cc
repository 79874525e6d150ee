// Compares with transformers' image processors, and with Pillow called as OpenCLIP's transforms
// call it (tests/golden/images/README.md).
#include "tome/images/fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/expect_error.h"
#include "tests/images/golden_images.h"

namespace tome {
namespace {

using testing::HasSubstr;

TEST(FitTest, AgreesWithTheReferences) {
  const auto names = GoldenNames("fit ");
  ASSERT_EQ(names.size(), 8U);
  for (const std::string& name : names) {
    const size_t space = name.find(' ');
    const ImageFit fit = ParseFit(name.substr(space + 1));
    EXPECT_EQ(WorstDifference(FitImage(GoldenImage(name.substr(0, space)), fit),
                              GoldenImage("fit " + name)),
              0)
        << name;
  }
}

TEST(FitTest, TheMiddleIsCutOut) {
  // Nothing is resampled here: the column and the row of a pixel are its colour.
  Image image = BlankImage(11, 6);
  for (int64_t y = 0; y < 6; ++y) {
    for (int64_t x = 0; x < 11; ++x) {
      image.rgb[static_cast<size_t>((y * 11 + x) * 3)] = static_cast<uint8_t>(x);
      image.rgb[static_cast<size_t>((y * 11 + x) * 3 + 1)] = static_cast<uint8_t>(y);
    }
  }
  const auto corner = [&](int64_t size, CropRounding rounding) {
    const Image fitted = FitImage(image, {.size = size, .resize = 6, .rounding = rounding});
    return std::pair(int{fitted.rgb[0]}, int{fitted.rgb[1]});
  };
  // Of 11 columns and 6 rows, 5 and 0 are cut off; then 8 and 3; then 6 and 1.
  EXPECT_EQ(corner(6, CropRounding::kDown), std::pair(2, 0));
  EXPECT_EQ(corner(6, CropRounding::kHalfToEven), std::pair(2, 0));
  EXPECT_EQ(corner(3, CropRounding::kDown), std::pair(4, 1));
  EXPECT_EQ(corner(3, CropRounding::kHalfToEven), std::pair(4, 2));
  EXPECT_EQ(corner(5, CropRounding::kHalfToEven), std::pair(3, 0));
}

TEST(FitTest, FitsAreReadAsTheyAreWritten) {
  for (const std::string text : {"336-336-shortest-bicubic-down", "224-256-shortest-bilinear-even",
                                 "384-384-squash-bicubic-down"}) {
    EXPECT_EQ(FormatFit(ParseFit(text)), text);
  }
  for (const std::string text :
       {"", "336", "336-336-shortest-bicubic", "0-336-shortest-bicubic-down",
        "336-224-shortest-bicubic-down", "336-336-longest-bicubic-down",
        "336-336-shortest-lanczos-down", "3 36-336-shortest-bicubic-down",
        "336-99999-shortest-bicubic-down", "336-336-shortest-bicubic-down-x"}) {
    EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { ParseFit(text); })) << text;
  }
}

TEST(FitTest, WrongFitsAndLinesAreRefused) {
  const Image image = BlankImage(8, 8);
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { FitImage(image, {.size = 0, .resize = 8}); }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { FitImage(image, {.size = 9, .resize = 8}); }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { FitImage(image, {.size = 9, .resize = 1 << 20}); }));
  const Image line = BlankImage(1000, 2);
  EXPECT_THAT(ErrorText([&] { FitImage(line, {.size = 8, .resize = 8}); }),
              HasSubstr("unsupported: the image has 1000 x 2 pixels"));
  // A square of both sides grows no line.
  EXPECT_EQ(FitImage(line, {.size = 8, .resize = 8, .method = FitMethod::kSquash}).pixels(), 64);
}

}  // namespace
}  // namespace tome
