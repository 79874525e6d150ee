#include "tome/kernels/matmul.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "tests/kernels/kernel_inputs.h"
#include "tome/tensor/codec.h"

namespace tome {
namespace {

std::vector<DType> DecodableTypes() {
  std::vector<DType> types;
  for (int i = 0; i < kDTypeCount; ++i) {
    if (IsDecodable(static_cast<DType>(i))) types.push_back(static_cast<DType>(i));
  }
  return types;
}

// A matrix as a checkpoint holds it, at an odd address: safetensors promises no alignment.
class Matrix {
 public:
  Matrix(DType dtype, int64_t out, int64_t in, const std::vector<float>& values)
      : dtype_(dtype), out_(out), in_(in), bytes_(Count(out * RowBytes(dtype, in) + 1)) {
    for (int64_t row = 0; row < out; ++row) {
      EncodeRow(dtype, std::span(values).subspan(Count(row * in), Count(in)),
                bytes_.data() + 1 + row * RowBytes(dtype, in));
    }
  }

  TensorView view() const { return {dtype_, {out_, in_}, bytes_.data() + 1}; }
  int64_t out() const { return out_; }
  int64_t in() const { return in_; }

  // What the stored bytes mean.
  std::vector<float> Decoded() const {
    std::vector<float> values(Count(out_ * in_));
    for (int64_t row = 0; row < out_; ++row) {
      DecodeRow(dtype_, view().row(row), std::span(values).subspan(Count(row * in_), Count(in_)));
    }
    return values;
  }

 private:
  DType dtype_;
  int64_t out_;
  int64_t in_;
  std::vector<std::byte> bytes_;
};

Matrix RandomMatrix(std::mt19937& random, DType dtype, int64_t out, int64_t in) {
  return {dtype, out, in, RandomFloats(random, out * in)};
}

std::vector<float> Multiply(const KernelSet& kernels, const Matrix& matrix,
                            const std::vector<float>& x, int threads = 1) {
  ThreadPool pool(threads);
  const int64_t tokens = static_cast<int64_t>(x.size()) / matrix.in();
  std::vector<float> y(Count(tokens * matrix.out()), kNaN);  // must be overwritten
  kernels.matmul({.weights = matrix.view(), .x = x.data(), .tokens = tokens, .y = y.data()}, pool);
  return y;
}

// Every element within the bound of a dot product of `in` terms: each term is rounded once as a
// product and at most `in` times in sums.
void ExpectProduct(const Matrix& matrix, const std::vector<float>& x, const std::vector<float>& y) {
  const std::vector<float> weights = matrix.Decoded();
  const int64_t in = matrix.in();
  const int64_t tokens = static_cast<int64_t>(x.size()) / in;
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t o = 0; o < matrix.out(); ++o) {
      double sum = 0;
      double magnitude = 0;
      for (int64_t i = 0; i < in; ++i) {
        const double term = double{weights[Count(o * in + i)]} * double{x[Count(t * in + i)]};
        sum += term;
        magnitude += std::abs(term);
      }
      const auto terms = static_cast<double>(in);
      const double tolerance = (terms + 1) * kRoundoff * magnitude + terms * kUnderflow;
      ASSERT_NEAR(y[Count(t * matrix.out() + o)], sum, tolerance)
          << NameOf(matrix.view().dtype) << " token " << t << " row " << o << " of " << matrix.out()
          << " x " << in;
    }
  }
}

class MatmulTest : public KernelTest {};

TEST_P(MatmulTest, MultipliesByHand) {
  const Matrix matrix(DType::kF32, 3, 2, {1, 2, 3, 4, -1, 0});
  EXPECT_EQ(Multiply(kernels(), matrix, {10, 1, 0, -2}),
            (std::vector<float>{12, 34, -10, -4, -8, 0}));
}

TEST_P(MatmulTest, AgreesWithDoublePrecisionForEveryType) {
  std::mt19937 random(1);
  for (const DType dtype : DecodableTypes()) {
    const int64_t block = TraitsOf(dtype).block_elements;
    // Rows of 1027 and more elements pass the pieces in which they are decoded.
    const std::vector<int64_t> widths =
        block == 1 ? std::vector<int64_t>{1, 7, 33, 100, 257, 1027}
                   : std::vector<int64_t>{block, 3 * block, 5 * block, 1024 + block};
    for (const int64_t in : widths) {
      for (const int64_t out : {1, 7, 33}) {
        const Matrix matrix = RandomMatrix(random, dtype, out, in);
        const std::vector<float> x = RandomFloats(random, 3 * in);
        ASSERT_NO_FATAL_FAILURE(ExpectProduct(matrix, x, Multiply(kernels(), matrix, x)));
      }
    }
  }
}

TEST_P(MatmulTest, AgreesWithDoublePrecisionForManyRowsAndTokens) {
  std::mt19937 random(2);
  for (const auto& [tokens, out] : {std::pair{1, 257}, {7, 100}, {33, 100}, {100, 7}, {257, 1}}) {
    const Matrix matrix = RandomMatrix(random, DType::kBF16, out, 100);
    const std::vector<float> x = RandomFloats(random, tokens * 100);
    ASSERT_NO_FATAL_FAILURE(ExpectProduct(matrix, x, Multiply(kernels(), matrix, x, 2)));
  }
}

TEST_P(MatmulTest, AUnitVectorReadsAColumnExactly) {
  std::mt19937 random(3);
  for (const DType dtype : DecodableTypes()) {
    const Matrix matrix = RandomMatrix(random, dtype, 5, 256);
    const std::vector<float> weights = matrix.Decoded();
    for (const int64_t column : {0, 1, 15, 16, 31, 32, 127, 128, 254, 255}) {
      std::vector<float> x(256);
      x[Count(column)] = 1;
      const std::vector<float> y = Multiply(kernels(), matrix, x);
      for (int64_t row = 0; row < 5; ++row) {
        EXPECT_EQ(y[Count(row)], weights[Count(row * 256 + column)])
            << NameOf(dtype) << " [" << row << ", " << column << "]";
      }
    }
  }
}

TEST_P(MatmulTest, BitsDependNeitherOnThreadsNorOnTheBatch) {
  std::mt19937 random(4);
  for (const DType dtype : DecodableTypes()) {
    const int64_t in = TraitsOf(dtype).block_elements == 1 ? 1127 : 5 * 256;
    const Matrix matrix = RandomMatrix(random, dtype, 100, in);
    const std::vector<float> x = RandomFloats(random, 9 * in);
    const auto expected = Bits(Multiply(kernels(), matrix, x));
    EXPECT_EQ(Bits(Multiply(kernels(), matrix, x, 2)), expected) << NameOf(dtype);
    EXPECT_EQ(Bits(Multiply(kernels(), matrix, x, 4)), expected) << NameOf(dtype);
    // In batches of every size up to 5, so that remainders of a blocked loop come up.
    for (const size_t batch : {1, 2, 3, 4, 5}) {
      std::vector<uint32_t> pieces;
      for (size_t begin = 0; begin < 9; begin += batch) {
        const size_t end = std::min<size_t>(9, begin + batch);
        const std::vector<float> some(x.begin() + static_cast<ptrdiff_t>(begin) * in,
                                      x.begin() + static_cast<ptrdiff_t>(end) * in);
        const auto bits = Bits(Multiply(kernels(), matrix, some, 2));
        pieces.insert(pieces.end(), bits.begin(), bits.end());
      }
      EXPECT_EQ(pieces, expected) << NameOf(dtype) << " in batches of " << batch;
    }
  }
}

TEST_P(MatmulTest, ActivationsKeepTheRangeOfFloat) {
  std::mt19937 random(5);
  for (const DType dtype : DecodableTypes()) {
    const Matrix matrix = RandomMatrix(random, dtype, 7, 512);
    // Beyond F16's 65504, below its smallest, and subnormal in float.
    for (const double deviation : {1e6, 1e30, 1e-9, 1e-40}) {
      const std::vector<float> x = RandomFloats(random, 2 * 512, deviation);
      ASSERT_NO_FATAL_FAILURE(ExpectProduct(matrix, x, Multiply(kernels(), matrix, x)));
    }
  }
}

TEST_P(MatmulTest, DenormalsAreNotFlushed) {
  const Matrix matrix(DType::kF32, 1, 1, {2});
  EXPECT_EQ(Multiply(kernels(), matrix, {0x1p-149F}), std::vector<float>{0x1p-148F});
}

TEST_P(MatmulTest, NaNAndInfinityReachTheTokensOwnRowAndNoOther) {
  std::mt19937 random(6);
  for (const DType dtype : DecodableTypes()) {
    const Matrix matrix = RandomMatrix(random, dtype, 33, 256);
    const std::vector<float> x = RandomFloats(random, 3 * 256);
    const std::vector<float> clean = Multiply(kernels(), matrix, x);
    for (const int64_t at : {0, 100, 255}) {
      std::vector<float> dirty = x;
      dirty[Count(256 + at)] = kNaN;
      const std::vector<float> y = Multiply(kernels(), matrix, dirty);
      for (size_t i = 0; i < y.size(); ++i) {
        if (i / 33 == 1) {
          EXPECT_TRUE(std::isnan(y[i])) << NameOf(dtype) << ' ' << i;
        } else {
          EXPECT_EQ(y[i], clean[i]) << NameOf(dtype) << ' ' << i;
        }
      }
      dirty[Count(256 + at)] = kInf;
      const std::vector<float> infinite = Multiply(kernels(), matrix, dirty);
      EXPECT_FALSE(std::isfinite(infinite[33])) << NameOf(dtype);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, MatmulTest, testing::ValuesIn(AllKernelSets()), KernelSetName);

}  // namespace
}  // namespace tome
