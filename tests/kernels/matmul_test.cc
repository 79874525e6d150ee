#include "tome/kernels/matmul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tests/kernels/matmul_inputs.h"

namespace tome {
namespace {

// Returns any widths for plain types, whole blocks for the others. Some exceed the pieces of 1024
// columns in which rows are multiplied.
std::vector<int64_t> Widths(DType dtype) {
  const int64_t block = TraitsOf(dtype).block_elements;
  if (block == 1) return {1, 7, 33, 100, 257, 1027};
  return {block, 3 * block, 5 * block, 1024 + block};
}

std::vector<float> Slice(const std::vector<float>& x, int64_t width, int64_t begin, int64_t end) {
  return {x.begin() + begin * width, x.begin() + end * width};
}

class MatmulTest : public KernelTest {
 protected:
  ThreadPool one_{1};
};

TEST_P(MatmulTest, MultipliesByHand) {
  const Matrix matrix(DType::kF32, 3, 2, {1, 2, 3, 4, -1, 0});
  EXPECT_EQ(Multiply(kernels(), matrix, {10, 1, 0, -2}),
            (std::vector<float>{12, 34, -10, -4, -8, 0}));
}

TEST_P(MatmulTest, NoTokensWriteNothing) {
  const Matrix matrix(DType::kF32, 3, 2, {1, 2, 3, 4, -1, 0});
  EXPECT_TRUE(Multiply(kernels(), matrix, {}).empty());
}

TEST_P(MatmulTest, AgreesWithDoublePrecisionForEveryTypeAndSize) {
  std::mt19937 random(1);
  constexpr std::array<int64_t, 5> kOut{1, 7, 33, 100, 257};
  for (const DType dtype : DecodableTypes()) {
    size_t number = 0;
    for (const int64_t in : Widths(dtype)) {
      for (const int64_t out : kOut) {
        const Matrix matrix = RandomMatrix(random, dtype, out, in);
        const Packed packed(kernels(), matrix);
        // The numbers of tokens alternate, so that every size meets few and many.
        for (const int64_t tokens :
             {int64_t{1}, static_cast<int64_t>(number % 20 + 1), out < 50 ? int64_t{33} : 2}) {
          if (out * in * tokens > 1500000) continue;  // takes long
          const std::vector<float> x = RandomFloats(random, tokens * in);
          ASSERT_NO_FATAL_FAILURE(
              ExpectProduct(kernels(), matrix, x, Multiply(kernels(), packed, x, one_)));
        }
        ++number;
      }
    }
  }
}

TEST_P(MatmulTest, AgreesWithDoublePrecisionForManyTokens) {
  std::mt19937 random(2);
  for (const DType dtype : DecodableTypes()) {
    const int64_t block = TraitsOf(dtype).block_elements;
    for (const int64_t out : {5, 40}) {
      const Matrix matrix = RandomMatrix(random, dtype, out, block == 1 ? 100 : 3 * block);
      const Packed packed(kernels(), matrix);
      ThreadPool two(2);
      for (const int64_t tokens : {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,  12,  13, 14,
                                   15, 16, 17, 18, 19, 20, 31, 32, 33, 64, 100, 257, 300}) {
        if (out == 40 && tokens > 100) continue;
        const std::vector<float> x = RandomFloats(random, tokens * matrix.in());
        ASSERT_NO_FATAL_FAILURE(
            ExpectProduct(kernels(), matrix, x, Multiply(kernels(), packed, x, two)));
      }
    }
  }
}

// The weights come from this project's encoders instead of random bytes.
TEST_P(MatmulTest, AgreesWithDoublePrecisionForEncodedWeights) {
  std::mt19937 random(3);
  for (const DType dtype : BlockQuantizedTypes()) {
    const Matrix matrix(dtype, 17, 512, RandomFloats(random, int64_t{17} * 512));
    const std::vector<float> x = RandomFloats(random, int64_t{9} * 512);
    ASSERT_NO_FATAL_FAILURE(ExpectProduct(kernels(), matrix, x, Multiply(kernels(), matrix, x)));
  }
}

// A set that does not round returns the column itself, a set with BF16 dot products the rounded
// column. With eight bits, 1 becomes 127 times a 127th, and the result is off by the roundings of
// that and of the products with scales and minimums.
TEST_P(MatmulTest, AUnitVectorReadsAColumn) {
  std::mt19937 random(4);
  for (const DType dtype : DecodableTypes()) {
    const Matrix matrix = RandomMatrix(random, dtype, 20, 256);
    const Packed packed(kernels(), matrix);
    const std::vector<float> weights = matrix.Decoded();
    const std::vector<float> offsets = Offsets(matrix);
    const Rounding rounding = RoundingOf(kernels(), dtype);
    // Every column is read, some alone and the others in a batch of all 256 (in tiles).
    std::vector<float> identity(256 * 256);
    for (size_t i = 0; i < 256; ++i) identity[i * 257] = 1;
    const std::vector<float> all = Multiply(kernels(), packed, identity, one_);
    for (int64_t column = 0; column < 256; ++column) {
      std::vector<float> y = Slice(all, 20, column, column + 1);
      if (column % 5 == 0) {
        y = Multiply(kernels(), packed, Slice(identity, 256, column, column + 1), one_);
      }
      for (int64_t row = 0; row < 20; ++row) {
        const double weight = weights[Count(row * 256 + column)];
        const double got = y[Count(row)];
        if (rounding == Rounding::kNone) {
          ASSERT_EQ(got, weight) << NameOf(dtype) << " [" << row << ", " << column << "]";
        } else if (rounding == Rounding::kBF16) {
          ASSERT_EQ(got, RoundToBF16(weight)) << NameOf(dtype) << " [" << row << ", " << column;
        } else {
          const double offset = std::abs(offsets[Count(row * 256 + column)]);
          ASSERT_NEAR(got, weight, 8 * kRoundoff * (std::abs(weight - offset) + 2 * offset))
              << NameOf(dtype) << " [" << row << ", " << column << "]";
        }
      }
    }
  }
}

TEST_P(MatmulTest, BitsDoNotDependOnThreads) {
  std::mt19937 random(5);
  ThreadPool two(2);
  ThreadPool four(4);
  for (const DType dtype : DecodableTypes()) {
    const int64_t in = TraitsOf(dtype).block_elements == 1 ? 1127 : 5 * 256;
    // The rows suffice for several panels in a task with one thread, and for one with four.
    const Matrix matrix = RandomMatrix(random, dtype, 300, in);
    const Packed packed(kernels(), matrix);
    for (const int64_t tokens : {1, 5, 20, 50}) {
      const std::vector<float> x = RandomFloats(random, tokens * in);
      const std::vector<float> expected = Multiply(kernels(), packed, x, one_);
      EXPECT_TRUE(SameBits(Multiply(kernels(), packed, x, two), expected)) << NameOf(dtype);
      EXPECT_TRUE(SameBits(Multiply(kernels(), packed, x, four), expected)) << NameOf(dtype);
    }
  }
}

TEST_P(MatmulTest, BitsDoNotDependOnTheBatch) {
  std::mt19937 random(6);
  constexpr int64_t kTokens = 273;  // 256, a tile, and one more
  for (const DType dtype : DecodableTypes()) {
    const int64_t in = TraitsOf(dtype).block_elements == 1 ? 1127 : 5 * 256;
    const Matrix matrix = RandomMatrix(random, dtype, 37, in);
    const Packed packed(kernels(), matrix);
    const std::vector<float> x = RandomFloats(random, kTokens * in);
    const std::vector<float> expected = Multiply(kernels(), packed, x, one_);
    const auto expect = [&](int64_t first, int64_t last, int64_t batch) {
      for (int64_t begin = first; begin < last; begin += batch) {
        const int64_t end = std::min(last, begin + batch);
        ASSERT_TRUE(SameBits(Multiply(kernels(), packed, Slice(x, in, begin, end), one_),
                             Slice(expected, 37, begin, end)))
            << NameOf(dtype) << " tokens " << begin << " to " << end;
      }
    };
    // Every batch size up to 20, at different places, and then sizes around blocks of rows and of
    // tasks.
    for (int64_t batch = 1; batch <= 20; ++batch) expect(3 * batch, 3 * batch + 20, batch);
    for (const int64_t batch : {17, 100, 255, 256, 257}) expect(0, kTokens, batch);
  }
}

TEST_P(MatmulTest, BitsDoNotDependOnTheOtherRowsOfTheMatrix) {
  std::mt19937 random(12);
  for (const DType dtype : DecodableTypes()) {
    const int64_t in = TraitsOf(dtype).block_elements == 1 ? 531 : 3 * 256;
    const Matrix matrix = RandomMatrix(random, dtype, 150, in);
    for (const int64_t tokens : {1, 20}) {
      const std::vector<float> x = RandomFloats(random, tokens * in);
      const std::vector<float> expected = Multiply(kernels(), matrix, x);
      for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, 1}, {5, 150}, {149, 150}}) {
        Matrix some(dtype, end - begin, in);
        const int64_t bytes = RowBytes(dtype, in);
        std::copy_n(matrix.stored().begin() + begin * bytes, (end - begin) * bytes,
                    some.stored().begin());
        const std::vector<float> y = Multiply(kernels(), some, x);
        for (int64_t t = 0; t < tokens; ++t) {
          ASSERT_TRUE(SameBits(Slice(y, end - begin, t, t + 1), {expected.begin() + t * 150 + begin,
                                                                 expected.begin() + t * 150 + end}))
              << NameOf(dtype) << " rows from " << begin;
        }
      }
    }
  }
}

// Sets with vectors of the same length sum in the same order, whatever their instructions are.
TEST_P(MatmulTest, SetsOfSixteenLanesGiveTheSameBitsForQuantizedWeights) {
  if (!HasSixteenLanes(kernels())) GTEST_SKIP() << "has other lanes";
  const auto sets = AllKernelSets();
  const KernelSet& first = **std::find_if(sets.begin(), sets.end(),
                                          [](const KernelSet* s) { return HasSixteenLanes(*s); });
  std::mt19937 random(7);
  for (const DType dtype : BlockQuantizedTypes()) {
    const Matrix matrix = RandomMatrix(random, dtype, 40, 5 * 256);
    for (const int64_t tokens : {1, 6, 7, 16, 17, 40}) {
      const std::vector<float> x = RandomFloats(random, tokens * matrix.in());
      EXPECT_TRUE(SameBits(Multiply(kernels(), matrix, x), Multiply(first, matrix, x)))
          << NameOf(dtype) << ' ' << tokens << " tokens";
    }
  }
}

TEST_P(MatmulTest, ActivationsKeepTheRangeOfFloat) {
  std::mt19937 random(8);
  for (const DType dtype : DecodableTypes()) {
    const Matrix matrix = RandomMatrix(random, dtype, 7, 512);
    const Packed packed(kernels(), matrix);
    // Values beyond F16's 65504, values below its smallest, values about where blocks begin to
    // count as zero (2^-100 is 8e-31), and subnormal floats.
    for (const double deviation : {1e6, 1e30, 1e-9, 1e-29, 4e-31, 1e-40}) {
      for (const int64_t tokens : {1, 17}) {
        const std::vector<float> x = RandomFloats(random, tokens * 512, deviation);
        ASSERT_NO_FATAL_FAILURE(
            ExpectProduct(kernels(), matrix, x, Multiply(kernels(), packed, x, one_)))
            << deviation;
      }
    }
    // One row has values of all these sizes.
    std::vector<float> mixed = RandomFloats(random, 512);
    for (size_t i = 0; i < 512; ++i) mixed[i] *= std::pow(10.0F, static_cast<float>(i % 61) - 30);
    ASSERT_NO_FATAL_FAILURE(
        ExpectProduct(kernels(), matrix, mixed, Multiply(kernels(), packed, mixed, one_)));
  }
}

TEST_P(MatmulTest, TinyBlocksCountAsZeroBesideQuantizedWeights) {
  std::mt19937 random(9);
  for (const DType dtype : BlockQuantizedTypes()) {
    const Matrix matrix = RandomMatrix(random, dtype, 7, 512);
    std::vector<float> x(512, 0x1.fffffep-101F);
    for (size_t i = 0; i < 512; i += 3) x[i] = -0x1p-149F;
    const std::vector<float> y = Multiply(kernels(), matrix, x);
    for (size_t row = 0; row < 7; ++row) {
      if (IsGeneric(kernels())) {
        ASSERT_NO_FATAL_FAILURE(ExpectProduct(kernels(), matrix, x, y));
      } else {
        EXPECT_EQ(y[row], 0) << NameOf(dtype);
      }
    }
    // A single value at the limit makes its block count.
    x[100] = 0x1p-100F;
    ASSERT_NO_FATAL_FAILURE(ExpectProduct(kernels(), matrix, x, Multiply(kernels(), matrix, x)));
  }
}

TEST_P(MatmulTest, DenormalsAreNotFlushedBesideF32Weights) {
  const Matrix two(DType::kF32, 1, 1, {2});
  EXPECT_EQ(Multiply(kernels(), two, {0x1p-149F}), std::vector<float>{0x1p-148F});
  const Matrix small(DType::kF32, 1, 1, {0x1p-140F});
  EXPECT_EQ(Multiply(kernels(), small, {0.5F}), std::vector<float>{0x1p-141F});
}

TEST_P(MatmulTest, NaNAndInfinityReachTheTokensOwnRowAndNoOther) {
  std::mt19937 random(10);
  for (const DType dtype : DecodableTypes()) {
    const std::vector<int64_t> widths =
        IsBlockQuantized(dtype) ? std::vector<int64_t>{256} : std::vector<int64_t>{7, 33, 100, 256};
    for (const int64_t in : widths) {
      const Matrix matrix = RandomMatrix(random, dtype, 33, in);
      const Packed packed(kernels(), matrix);
      // The batches have few rows, many rows, and rows of two tiles.
      for (const auto& [tokens, bad] : {std::pair<int64_t, int64_t>{3, 1}, {9, 8}, {20, 16}}) {
        const std::vector<float> x = RandomFloats(random, tokens * in);
        const std::vector<float> clean = Multiply(kernels(), packed, x, one_);
        for (const int64_t at : {int64_t{0}, in / 3, in - 1}) {
          for (const float what : {kNaN, kInf, -kInf}) {
            std::vector<float> dirty = x;
            dirty[Count(bad * in + at)] = what;
            const std::vector<float> y = Multiply(kernels(), packed, dirty, one_);
            for (int64_t i = 0; i < static_cast<int64_t>(y.size()); ++i) {
              if (i / 33 != bad) {
                ASSERT_EQ(y[Count(i)], clean[Count(i)])
                    << NameOf(dtype) << ' ' << i << " in " << in << " for " << what;
              } else if (std::isnan(what)) {
                ASSERT_TRUE(std::isnan(y[Count(i)])) << NameOf(dtype) << ' ' << i;
              } else {
                ASSERT_FALSE(std::isfinite(y[Count(i)])) << NameOf(dtype) << ' ' << i;
              }
            }
          }
        }
      }
    }
  }
}

TEST_P(MatmulTest, PackingDoesNotDependOnThreads) {
  std::mt19937 random(11);
  for (const DType dtype : DecodableTypes()) {
    for (const int64_t out : {1, 33, 100}) {
      const Matrix matrix = RandomMatrix(random, dtype, out, 512);
      EXPECT_EQ(Packed(kernels(), matrix, 3).bytes(), Packed(kernels(), matrix).bytes());
      EXPECT_EQ(kernels().packed_bytes(dtype, out, 512) == 0, IsGeneric(kernels()));
    }
  }
}

// The memory of block-quantized weights limits the speed of decoding, so packing must not enlarge
// it.
TEST_P(MatmulTest, PackedQuantizedWeightsAreHardlyLargerThanStoredOnes) {
  if (IsGeneric(kernels())) GTEST_SKIP() << "does not pack";
  for (const DType dtype : BlockQuantizedTypes()) {
    EXPECT_LE(static_cast<double>(kernels().packed_bytes(dtype, 4096, 4096)),
              1.01 * static_cast<double>(4096 * RowBytes(dtype, 4096)))
        << NameOf(dtype);
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, MatmulTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
