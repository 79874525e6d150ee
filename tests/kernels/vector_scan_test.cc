#include "tome/kernels/vector_scan.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/kernels/kernel_inputs.h"

namespace tome {
namespace {

class VectorScanTest : public KernelTest {};

// Random integers of −most to most.
template <typename T>
std::vector<T> RandomIntegers(std::mt19937& random, int64_t size, int most) {
  std::uniform_int_distribution<int> any(-most, most);
  std::vector<T> values(Count(size));
  for (T& value : values) value = static_cast<T>(any(random));
  return values;
}

std::vector<float> RandomScales(std::mt19937& random, int64_t size) {
  std::uniform_real_distribution<float> any(0.001F, 0.1F);
  std::vector<float> values(Count(size));
  for (float& value : values) value = any(random);
  return values;
}

struct Vectors {
  Vectors(std::mt19937& random, int64_t rows, int64_t columns, int most = 127)
      : width(columns),
        values(RandomIntegers<int8_t>(random, rows * columns, most)),
        scales(RandomScales(random, rows)) {}
  int64_t rows() const { return static_cast<int64_t>(scales.size()); }

  int64_t width;
  std::vector<int8_t> values;
  std::vector<float> scales;
};

std::vector<float> ScanRows(const KernelSet& kernels, const Vectors& vectors,
                            std::vector<int16_t> query, float query_scale,
                            const std::optional<std::vector<uint64_t>>& kept = {}) {
  query.resize(Count(PaddedQuery(vectors.width)));
  std::vector<float> scores(vectors.scales.size(), kNaN);
  kernels.scan_vectors({.vectors = vectors.values.data(),
                        .scales = vectors.scales.data(),
                        .query = query.data(),
                        .query_scale = query_scale,
                        .kept = kept ? kept->data() : nullptr,
                        .scores = scores.data(),
                        .rows = vectors.rows(),
                        .width = vectors.width});
  return scores;
}

// The sum is exact and has three roundings on its way: of the sum and of two products. So the same
// operations in float give the same bits.
float ExpectedScore(const Vectors& vectors, int64_t row, const std::vector<int16_t>& query,
                    float query_scale) {
  int64_t sum = 0;
  for (size_t i = 0; i < query.size(); ++i) {
    sum += int64_t{query[i]} * vectors.values[Count(row * vectors.width) + i];
  }
  volatile float score = static_cast<float>(sum);
  score = score * query_scale;
  return score * vectors.scales[Count(row)];
}

TEST_P(VectorScanTest, ScoresByHand) {
  std::mt19937 random(1);
  Vectors vectors(random, 2, 3);
  vectors.values = {1, -2, 3, 127, 0, -127};
  vectors.scales = {0.5F, 2};
  // 100 − 2·(−7) + 3·300 = 1014 and 127·100 − 127·300 = −25400, times 0.25.
  EXPECT_EQ(ScanRows(kernels(), vectors, {100, -7, 300}, 0.25F),
            (std::vector<float>{126.75F, -12700}));
}

TEST_P(VectorScanTest, SumsAreExactForEveryWidthAndNumberOfRows) {
  std::mt19937 random(2);
  for (const int64_t width : {1, 7, 16, 31, 32, 33, 63, 64, 65, 100, 383, 384, 512, 1024}) {
    for (const int64_t rows : {1, 5, 63, 64, 65, 200}) {
      const Vectors vectors(random, rows, width);
      const auto query = RandomIntegers<int16_t>(random, width, 8000);
      const std::vector<float> scores = ScanRows(kernels(), vectors, query, 1e-4F);
      for (int64_t row = 0; row < rows; ++row) {
        ASSERT_EQ(scores[Count(row)], ExpectedScore(vectors, row, query, 1e-4F))
            << "width " << width << ", row " << row << " of " << rows;
      }
    }
  }
}

TEST_P(VectorScanTest, TheLargestSumsDoNotOverflow) {
  for (const int sign : {1, -1}) {
    // 127 · 516 · 32767 lies just below 2^31.
    const int64_t width = 516;
    std::mt19937 random(3);
    Vectors vectors(random, 65, width);
    for (int8_t& value : vectors.values) value = static_cast<int8_t>(127 * sign);
    for (float& scale : vectors.scales) scale = 1;
    const std::vector<int16_t> query(Count(width), 32767);
    for (const float score : ScanRows(kernels(), vectors, query, 1)) {
      ASSERT_EQ(score, static_cast<float>(int64_t{127} * sign * width * 32767));
    }
  }
}

TEST_P(VectorScanTest, ScoresTheKeptRowsAndNoOthers) {
  std::mt19937 random(4);
  const int64_t rows = 300;
  const Vectors vectors(random, rows, 96);
  const auto query = RandomIntegers<int16_t>(random, 96, 8000);
  const std::vector<float> all = ScanRows(kernels(), vectors, query, 1e-4F);
  std::mt19937_64 bits(5);
  const std::vector<std::vector<uint64_t>> choices{
      std::vector<uint64_t>(5, 0),
      std::vector<uint64_t>(5, ~uint64_t{0}),
      std::vector<uint64_t>(5, 0xAAAAAAAAAAAAAAAA),
      {~uint64_t{0}, 0, 1, uint64_t{1} << 63, ~uint64_t{0}},
      {bits(), bits(), bits() & bits() & bits(), bits() | bits(), bits()}};
  for (const std::vector<uint64_t>& kept : choices) {
    const std::vector<float> scores = ScanRows(kernels(), vectors, query, 1e-4F, kept);
    for (size_t row = 0; row < scores.size(); ++row) {
      const bool is_kept = (kept[row / 64] >> (row % 64) & 1) != 0;
      ASSERT_EQ(scores[row], is_kept ? all[row] : -kInf) << row;
    }
  }
}

struct Nibbles {
  Nibbles(std::mt19937& random, int64_t rows, int64_t columns)
      : width(columns), scales(RandomScales(random, rows)) {
    std::uniform_int_distribution<int> any(0, 255);
    bytes.resize(Count(rows * NibbleBytes(columns)));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(any(random));
  }
  // The layout as the header words it, value by value.
  int Value(int64_t row, int64_t i) const {
    const int64_t run = row * NibbleRuns(width) + i / 128;
    const uint8_t byte = bytes[Count(run * 64 + i % 64)];
    return i % 128 < 64 ? byte % 16 : byte / 16;
  }

  int64_t width;
  std::vector<uint8_t> bytes;
  std::vector<float> scales;
};

std::vector<float> ScanRows(const KernelSet& kernels, const Nibbles& nibbles,
                            std::vector<int8_t> query, float query_scale) {
  query.resize(Count(NibbleRuns(nibbles.width) * kNibbleRun));
  std::vector<float> scores(nibbles.scales.size(), kNaN);
  kernels.scan_nibbles({.nibbles = nibbles.bytes.data(),
                        .scales = nibbles.scales.data(),
                        .query = query.data(),
                        .query_scale = query_scale,
                        .scores = scores.data(),
                        .rows = static_cast<int64_t>(scores.size()),
                        .width = nibbles.width});
  return scores;
}

TEST_P(VectorScanTest, NibbleSumsAreExactForEveryWidthAndNumberOfRows) {
  std::mt19937 random(6);
  for (const int64_t width : {1, 7, 63, 64, 65, 127, 128, 129, 383, 384, 512, 1024}) {
    for (const int64_t rows : {1, 3, 70}) {
      const Nibbles nibbles(random, rows, width);
      const auto query = RandomIntegers<int8_t>(random, width, 127);
      const std::vector<float> scores = ScanRows(kernels(), nibbles, query, 1e-3F);
      for (int64_t row = 0; row < rows; ++row) {
        int64_t sum = 0;
        for (int64_t i = 0; i < width; ++i) {
          sum += int64_t{query[Count(i)]} * (2 * nibbles.Value(row, i) - 15);
        }
        volatile float expected = static_cast<float>(sum);
        expected = expected * 1e-3F;
        ASSERT_EQ(scores[Count(row)], expected * nibbles.scales[Count(row)])
            << "width " << width << ", row " << row;
      }
    }
  }
}

TEST_P(VectorScanTest, TheLargestNibblesDoNotOverflow) {
  std::mt19937 random(7);
  for (const int byte : {0x00, 0xFF}) {
    Nibbles nibbles(random, 3, 4096);
    for (uint8_t& each : nibbles.bytes) each = static_cast<uint8_t>(byte);
    for (float& scale : nibbles.scales) scale = 1;
    const int sign = byte == 0 ? -1 : 1;
    for (const float score : ScanRows(kernels(), nibbles, std::vector<int8_t>(4096, 127), 1)) {
      ASSERT_EQ(score, static_cast<float>(sign * 15 * 127 * 4096));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, VectorScanTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
