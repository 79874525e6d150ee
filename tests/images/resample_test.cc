// Compares with Pillow (tests/golden/images/README.md).
#include "tome/images/resample.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/images/golden_images.h"

namespace tome {
namespace {

TEST(ResampleTest, AgreesWithPillowToTheBit) {
  const Image source = GoldenImage("source");
  const auto names = GoldenNames("resample ");
  ASSERT_EQ(names.size(), 16U);
  for (const std::string& name : names) {
    std::istringstream words(name);
    int64_t width = 0;
    int64_t height = 0;
    std::string filter;
    words >> width >> height >> filter;
    const Image resampled =
        Resample(source, width, height,
                 filter == "bicubic" ? ResampleFilter::kBicubic : ResampleFilter::kBilinear);
    EXPECT_EQ(WorstDifference(resampled, GoldenImage("resample " + name)), 0) << name;
  }
}

TEST(ResampleTest, OneColourStaysAsItIs) {
  Image image = BlankImage(17, 9);
  for (size_t i = 0; i < image.rgb.size(); i += 3) {
    image.rgb[i] = 255;
    image.rgb[i + 1] = 77;
  }
  for (const ResampleFilter filter : {ResampleFilter::kBilinear, ResampleFilter::kBicubic}) {
    for (const auto& [width, height] : {std::pair{3, 40}, std::pair{100, 2}, std::pair{16, 9}}) {
      const Image out = Resample(image, width, height, filter);
      ASSERT_EQ(out.rgb.size(), static_cast<size_t>(width * height * 3));
      for (size_t i = 0; i < out.rgb.size(); i += 3) {
        EXPECT_EQ(out.rgb[i], 255);
        EXPECT_EQ(out.rgb[i + 1], 77);
        EXPECT_EQ(out.rgb[i + 2], 0);
      }
    }
  }
}

TEST(ResampleTest, HalvingByHand) {
  // The output's two pixels lie at 1 and 3 of four pixels 0, 0, 240, 240. With bilinear weights over
  // twice the width, the first takes (1 − 1/4) of its two neighbours and 1/4 of the third:
  // 240 · (1/4) / (3/4 + 3/4 + 1/4) = 34.3.
  Image image = BlankImage(4, 1);
  for (size_t i = 6; i < 12; ++i) image.rgb[i] = 240;
  const Image out = Resample(image, 2, 1, ResampleFilter::kBilinear);
  EXPECT_EQ(out.rgb[0], 34);
  EXPECT_EQ(out.rgb[3], 206);
}

}  // namespace
}  // namespace tome
