// Compares with the blocks that llama.cpp encodes and the values that the gguf package decodes.
// tests/golden/quantized/README.md derives the tolerances.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "tome/formats/checkpoint.h"
#include "tome/tensor/codec.h"

namespace tome {
namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(TOME_SOURCE_DIR) / "tests/golden/quantized";

const Checkpoint& Golden() {
  static const Checkpoint checkpoint = Checkpoint::Open(kFolder / "quantized.safetensors");
  return checkpoint;
}

class GoldenCodec : public testing::TestWithParam<DType> {
 protected:
  std::string name() const { return std::string(NameOf(GetParam())); }
  static std::vector<float> Row(const TensorView& tensor, int64_t row) {
    std::vector<float> values(static_cast<size_t>(tensor.shape.row_elements()));
    DecodeRow(DType::kF32, tensor.row(row), values);
    return values;
  }
};

TEST_P(GoldenCodec, BytesDecodeToTheSameFloats) {
  const TensorView bytes = *Golden().Find(name() + ".bytes");
  const TensorView decoded = *Golden().Find(name() + ".decoded");
  for (int64_t row = 0; row < decoded.shape[0]; ++row) {
    const auto expected = Row(decoded, row);
    std::vector<float> ours(expected.size());
    DecodeRow(GetParam(), bytes.row(row), ours);
    for (size_t i = 0; i < ours.size(); ++i) ASSERT_EQ(ours[i], expected[i]) << row << ' ' << i;
  }
}

TEST_P(GoldenCodec, EncodesAsWell) {
  constexpr double kFactor = 1.1;
  constexpr double kTiny = 1e-6;
  const auto limits = nlohmann::json::parse(std::ifstream(kFolder / "quantized.json"));
  const TensorView source = *Golden().Find("source");
  const TensorView bytes = *Golden().Find(name() + ".bytes");
  for (int64_t row = 0; row < source.shape[0]; ++row) {
    const auto values = Row(source, row);
    std::vector<std::byte> encoded(static_cast<size_t>(bytes.row_bytes()));
    EncodeRow(GetParam(), values, encoded.data());
    std::vector<float> decoded(values.size());
    DecodeRow(GetParam(), encoded.data(), decoded);
    double squares = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      const double miss = double{values[i]} - double{decoded[i]};
      squares += miss * miss;
    }
    const double error = std::sqrt(squares / static_cast<double>(values.size()));
    const std::string row_name = limits.at("rows").at(static_cast<size_t>(row));
    const double theirs = limits.at("root_mean_square_error").at(name()).at(row_name);
    EXPECT_LE(error, std::max(kFactor * theirs, kTiny)) << row_name;
    // Types without a search have one right answer.
    if (!IsBlockQuantized(GetParam()) || GetParam() == DType::kQ8_0) {
      EXPECT_TRUE(std::equal(encoded.begin(), encoded.end(), bytes.row(row))) << row_name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, GoldenCodec,
                         testing::Values(DType::kF16, DType::kBF16, DType::kQ4_0, DType::kQ4_1,
                                         DType::kQ5_0, DType::kQ5_1, DType::kQ8_0, DType::kQ4_K,
                                         DType::kQ5_K, DType::kQ6_K),
                         [](const auto& test) { return std::string(NameOf(test.param)); });

}  // namespace
}  // namespace tome
