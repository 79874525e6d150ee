// Provides matrices of every type as checkpoints hold them, packed for a set, and models of how a
// set's rounding (matmul.h) changes a product.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "tests/kernels/kernel_inputs.h"
#include "tome/tensor/blocks.h"
#include "tome/tensor/codec.h"
#include "tome/tensor/float16.h"

namespace tome {

inline std::vector<DType> DecodableTypes() {
  std::vector<DType> types;
  for (int i = 0; i < kDTypeCount; ++i) {
    if (IsDecodable(static_cast<DType>(i))) types.push_back(static_cast<DType>(i));
  }
  return types;
}

inline std::vector<DType> BlockQuantizedTypes() {
  std::vector<DType> types;
  for (const DType dtype : DecodableTypes()) {
    if (IsBlockQuantized(dtype)) types.push_back(dtype);
  }
  return types;
}

// Matrix is stored as in a checkpoint, at an odd address: safetensors promises no alignment.
class Matrix {
 public:
  Matrix(DType dtype, int64_t out, int64_t in)
      : dtype_(dtype), out_(out), in_(in), bytes_(Count(out * RowBytes(dtype, in) + 1)) {}

  Matrix(DType dtype, int64_t out, int64_t in, const std::vector<float>& values)
      : Matrix(dtype, out, in) {
    for (int64_t row = 0; row < out; ++row) {
      EncodeRow(dtype, std::span(values).subspan(Count(row * in), Count(in)),
                bytes_.data() + 1 + row * RowBytes(dtype, in));
    }
  }

  std::span<std::byte> stored() { return std::span(bytes_).subspan(1); }
  std::span<const std::byte> stored() const { return std::span(bytes_).subspan(1); }
  TensorView view() const { return {dtype_, {out_, in_}, stored().data()}; }
  DType dtype() const { return dtype_; }
  int64_t out() const { return out_; }
  int64_t in() const { return in_; }

  // Returns the values that the stored bytes stand for.
  std::vector<float> Decoded() const {
    std::vector<float> values(Count(out_ * in_));
    for (int64_t row = 0; row < out_; ++row) {
      DecodeRow(dtype_, view().row(row), std::span(values).subspan(Count(row * in_), Count(in_)));
    }
    return values;
  }

  template <typename Block>
  void ForEachBlock(auto&& change) {
    for (size_t at = 0; at + sizeof(Block) <= stored().size(); at += sizeof(Block)) {
      Block block;
      std::memcpy(&block, stored().data() + at, sizeof block);
      change(block);
      std::memcpy(stored().data() + at, &block, sizeof block);
    }
  }

 private:
  DType dtype_;
  int64_t out_;
  int64_t in_;
  std::vector<std::byte> bytes_;
};

// Calls body.operator()<Block>() with the stored block of a block-quantized type.
template <typename Body>
void WithBlock(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::kQ4_0:
      return body.template operator()<BlockQ4_0>();
    case DType::kQ4_1:
      return body.template operator()<BlockQ4_1>();
    case DType::kQ5_0:
      return body.template operator()<BlockQ5_0>();
    case DType::kQ5_1:
      return body.template operator()<BlockQ5_1>();
    case DType::kQ8_0:
      return body.template operator()<BlockQ8_0>();
    case DType::kQ4_K:
      return body.template operator()<BlockQ4_K>();
    case DType::kQ5_K:
      return body.template operator()<BlockQ5_K>();
    case DType::kQ6_K:
      return body.template operator()<BlockQ6_K>();
    default:
      FAIL() << NameOf(dtype);
  }
}

// Returns a random matrix. Block-quantized ones are random bytes, with every integer, scale and
// minimum that a file may hold, not only those that Tome's encoders choose. The F16 scales of
// blocks are normal numbers.
inline Matrix RandomMatrix(std::mt19937& random, DType dtype, int64_t out, int64_t in) {
  if (!IsBlockQuantized(dtype)) return {dtype, out, in, RandomFloats(random, out * in)};
  Matrix matrix(dtype, out, in);
  std::uniform_int_distribution<int> any(0, 255);
  for (std::byte& byte : matrix.stored()) byte = static_cast<std::byte>(any(random));
  std::normal_distribution<float> normal(0, 0.01F);
  WithBlock(dtype, [&]<typename Block>() {
    matrix.ForEachBlock<Block>([&](Block& block) {
      block.d = F16FromFloat(normal(random));
      if constexpr (requires { block.m; }) block.m = F16FromFloat(normal(random) * 10);
      if constexpr (requires { block.dmin; }) block.dmin = F16FromFloat(normal(random));
    });
  });
  return matrix;
}

// Returns, for each weight, the part of it that is common to its block, where the block's integers
// count from zero and that part is added separately: −16 d in Q5_0, the minimum in Q4_1, Q5_1, Q4_K
// and Q5_K. A block whose integers are all zero decodes to it. For the other types it is zero.
inline std::vector<float> Offsets(Matrix matrix) {
  const DType dtype = matrix.dtype();
  if (dtype == DType::kQ4_0 || dtype == DType::kQ8_0 || dtype == DType::kQ6_K ||
      !IsBlockQuantized(dtype)) {
    return std::vector<float>(Count(matrix.out() * matrix.in()));
  }
  WithBlock(dtype, [&]<typename Block>() {
    matrix.ForEachBlock<Block>([](Block& block) {
      if constexpr (requires { block.qs; }) std::memset(block.qs, 0, sizeof block.qs);
      if constexpr (requires { block.qh; }) std::memset(block.qh, 0, sizeof block.qh);
    });
  });
  return matrix.Decoded();
}

// Packed is a matrix in the layout of a kernel set.
class Packed {
 public:
  Packed(const KernelSet& kernels, const Matrix& matrix, int threads = 1)
      : matrix_{.dtype = matrix.dtype(), .out = matrix.out(), .in = matrix.in()} {
    const int64_t bytes = kernels.packed_bytes(matrix.dtype(), matrix.out(), matrix.in());
    if (bytes == 0) {
      matrix_.data = matrix.stored().data();
      return;
    }
    memory_ = std::make_unique<Guarded>(bytes);
    ThreadPool pool(threads);
    kernels.pack(matrix.view(), memory_->data(), pool);
    EXPECT_TRUE(memory_->IsIntact()) << "pack wrote beyond packed_bytes";
    matrix_.data = memory_->data();
  }
  const PackedMatrix& matrix() const { return matrix_; }
  // Empty where the stored bytes are used.
  std::vector<std::byte> bytes() const {
    return memory_ ? memory_->bytes() : std::vector<std::byte>{};
  }

 private:
  PackedMatrix matrix_;
  std::unique_ptr<Guarded> memory_;
};

inline MatmulOutput OutputOf(const Packed& weights) {
  MatmulOutput output;
  output.weights = weights.matrix();
  return output;
}

struct Norm {
  std::vector<float> weight{};  // empty: no norm
  float eps = 0;
};

// Runs one call. `outputs` have every field set but y, which `ys` supplies and returns. An empty y
// becomes NaNs, which must be overwritten; any other holds the values that the call may add to.
inline void RunMatmul(const KernelSet& kernels, const std::vector<float>& x, int64_t in,
                      std::vector<MatmulOutput> outputs, std::vector<std::vector<float>>& ys,
                      ThreadPool& pool, const Norm& norm = {}) {
  const int64_t tokens = static_cast<int64_t>(x.size()) / in;
  // Values after the rows must not be read.
  std::vector<float> rows = x;
  rows.insert(rows.end(), 64, kNaN);
  ys.resize(outputs.size());
  constexpr size_t kGuard = 64;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const size_t size = Count(tokens * outputs[i].weights.out);
    ys[i].resize(size, kNaN);
    ys[i].resize(size + kGuard, 42);
    outputs[i].y = ys[i].data();
  }
  MatmulArgs args{.x = rows.data(),
                  .tokens = tokens,
                  .in = in,
                  .norm_weight = norm.weight.empty() ? nullptr : norm.weight.data(),
                  .norm_eps = norm.eps,
                  .outputs = outputs};
  Guarded scratch(kernels.matmul_scratch(args));
  args.scratch = scratch.data();
  kernels.matmul(args, pool);
  EXPECT_TRUE(scratch.IsIntact()) << "matmul wrote beyond matmul_scratch";
  for (std::vector<float>& y : ys) {
    EXPECT_TRUE(std::all_of(y.end() - kGuard, y.end(), [](float v) { return v == 42; }))
        << "matmul wrote beyond y";
    y.resize(y.size() - kGuard);
  }
}

inline std::vector<float> Multiply(const KernelSet& kernels, const Packed& matrix,
                                   const std::vector<float>& x, ThreadPool& pool) {
  std::vector<std::vector<float>> ys;
  RunMatmul(kernels, x, matrix.matrix().in, {OutputOf(matrix)}, ys, pool);
  return std::move(ys[0]);
}

inline std::vector<float> Multiply(const KernelSet& kernels, const Matrix& matrix,
                                   const std::vector<float>& x, int threads = 1) {
  ThreadPool pool(threads);
  return Multiply(kernels, Packed(kernels, matrix), x, pool);
}

// --- Expectations ------------------------------------------------------------------------------

// Rounding says how a set rounds activations before it multiplies them with weights of a type.
enum class Rounding { kNone, kBF16, kEightBits };
inline Rounding RoundingOf(const KernelSet& kernels, DType dtype) {
  if (IsBlockQuantized(dtype)) return IsGeneric(kernels) ? Rounding::kNone : Rounding::kEightBits;
  return dtype != DType::kF32 && HasBF16Dot(kernels) ? Rounding::kBF16 : Rounding::kNone;
}

inline double RoundToBF16(double x) { return FloatFromBF16(BF16FromFloat(static_cast<float>(x))); }

// Activations hold the values that a set multiplies, how far each may be off, and (kEightBits) the
// scale of its block, which is twice the largest change by rounding.
struct Activations {
  std::vector<double> value, slack, scale;
};

// Rounds `x`, which is exact or off by `roundoffs` relative to itself.
inline Activations RoundActivations(Rounding rounding, const std::vector<double>& x,
                                    double roundoffs) {
  const size_t size = x.size();
  Activations a{.value = x, .slack = std::vector<double>(size), .scale = std::vector<double>(size)};
  if (rounding == Rounding::kBF16) {
    for (size_t i = 0; i < size; ++i) {
      a.value[i] = RoundToBF16(x[i]);
      const double off = roundoffs * kRoundoff;
      a.slack[i] = std::abs(RoundToBF16(x[i] * (1 + off)) - RoundToBF16(x[i] * (1 - off)));
    }
  }
  if (rounding != Rounding::kEightBits) return a;
  for (size_t begin = 0; begin < size; begin += 32) {
    double largest = 0;
    for (size_t i = begin; i < begin + 32; ++i) largest = std::max(largest, std::abs(x[i]));
    for (size_t i = begin; i < begin + 32; ++i) {
      if (largest < 0x1p-100) {
        a.value[i] = 0;
        a.scale[i] = 0x1p-99;  // twice the largest change
        continue;
      }
      // x / d may be rounded either way where it is near a half. The set computes it in float from
      // a rounded reciprocal, which is off by some roundoffs of at most 127: below 1e-4.
      const double d = largest / 127;
      const double scaled = x[i] / d;
      const double q = std::nearbyint(scaled);
      a.value[i] = d * q;
      a.slack[i] = std::abs(scaled - q) > 0.5 - 1e-4 ? d : 0;
      a.scale[i] = d;
    }
  }
  return a;
}

struct Expected {
  double value = 0;
  double bound = 0;
};

// ProductModel computes products of rows with a matrix, rounded as a set rounds, and bounds of
// their error.
//
// A term is rounded once as a product and at most once for each sum: `in` times where terms are
// added one by one. With block-quantized weights, sums within 32 values are exact integers.
// Roundings come from the scale of either side and their product (3), from the sum of the
// activations that a minimum is multiplied with (2), and from one or two sums (a minimum, or a
// second scale) a block. The decoded weight is itself rounded once, where it has a minimum. Errors
// are relative to the terms that are added. The integers' term and the offset's (Offsets) are
// counted apart, as they may cancel.
//
// Underflow: a product of floats loses up to kUnderflow, and the scales of a block's sum lose as
// much for each unit of that sum: 32 · 127 · 255 < 2^20. BF16 dot products take numbers below
// 2^-126 for zero, both as operands and as results.
class ProductModel {
 public:
  ProductModel(const KernelSet& kernels, const Matrix& matrix)
      : out_(matrix.out()), in_(matrix.in()), rounding_(RoundingOf(kernels, matrix.dtype())) {
    const std::vector<float> weights = matrix.Decoded();
    weights_.assign(weights.begin(), weights.end());
    if (rounding_ == Rounding::kBF16) {
      for (double& w : weights_) w = RoundToBF16(w);
    }
    sizes_.resize(weights.size());
    std::vector<float> offsets(weights.size());
    if (rounding_ == Rounding::kEightBits) offsets = Offsets(matrix);
    for (size_t i = 0; i < weights.size(); ++i) {
      const double offset = offsets[i];
      sizes_[i] = std::abs(weights_[i] - offset) + std::abs(offset);
    }
  }

  // Returns the products of one row; `x` is exact, or off by `roundoffs` relative to itself.
  std::vector<Expected> Row(const std::vector<double>& x, double roundoffs = 0) const {
    const Activations a = RoundActivations(rounding_, x, roundoffs);
    const auto terms = static_cast<double>(in_);
    const double roundings =
        (rounding_ == Rounding::kEightBits ? 4 * terms / 32 + 8 : terms + 2) + 2 * roundoffs;
    double activations = 0;
    for (const double value : a.value) activations += std::abs(value);
    std::vector<Expected> row(Count(out_));
    for (int64_t o = 0; o < out_; ++o) {
      const double* const w = weights_.data() + o * in_;
      const double* const size = sizes_.data() + o * in_;
      double sum = 0;
      double magnitude = 0;
      double slack = 0;
      double all = 0;
      for (size_t i = 0; i < a.value.size(); ++i) {
        sum += w[i] * a.value[i];
        magnitude += size[i] * std::abs(a.value[i]);
        slack += std::abs(w[i]) * a.slack[i];
        all += std::abs(w[i]);
      }
      double underflow = terms * kUnderflow;
      if (rounding_ == Rounding::kEightBits) underflow *= 0x1p20;
      if (rounding_ == Rounding::kBF16) underflow = 0x1p-126 * (terms + activations + all);
      row[Count(o)] = {.value = sum,
                       .bound = slack + roundings * kRoundoff * magnitude + underflow};
    }
    return row;
  }

  // Returns the largest change that rounding the activations may cause: half a step each.
  double LargestChange(const std::vector<double>& x, int64_t o) const {
    const Activations a = RoundActivations(rounding_, x, 0);
    double change = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      change += std::abs(weights_[Count(o * in_) + i]) * (0.5 + 1e-4) * a.scale[i];
    }
    return change;
  }

  double Exact(const std::vector<double>& x, int64_t o) const {
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i) sum += weights_[Count(o * in_) + i] * x[i];
    return sum;
  }

  int64_t out() const { return out_; }
  int64_t in() const { return in_; }
  Rounding rounding() const { return rounding_; }

 private:
  int64_t out_;
  int64_t in_;
  Rounding rounding_;
  std::vector<double> weights_;
  // Holds magnitudes of the terms that are added for a weight, relative to the activation.
  std::vector<double> sizes_;
};

inline std::vector<double> RowOf(const std::vector<float>& x, int64_t row, int64_t width) {
  const auto begin = x.begin() + static_cast<ptrdiff_t>(row * width);
  return {begin, begin + static_cast<ptrdiff_t>(width)};
}

// Checks every element of y = x · Wᵀ.
inline void ExpectProduct(const KernelSet& kernels, const Matrix& matrix,
                          const std::vector<float>& x, const std::vector<float>& y) {
  const ProductModel model(kernels, matrix);
  const int64_t tokens = static_cast<int64_t>(x.size()) / matrix.in();
  for (int64_t t = 0; t < tokens; ++t) {
    const std::vector<double> row = RowOf(x, t, matrix.in());
    const std::vector<Expected> expected = model.Row(row);
    for (int64_t o = 0; o < matrix.out(); ++o) {
      const Expected& e = expected[Count(o)];
      const double got = y[Count(t * matrix.out() + o)];
      ASSERT_NEAR(got, e.value, e.bound)
          << NameOf(matrix.dtype()) << " token " << t << " of " << tokens << " row " << o << " of "
          << matrix.out() << " x " << matrix.in();
      if (model.rounding() == Rounding::kEightBits && o < 3) {
        ASSERT_NEAR(got, model.Exact(row, o), e.bound + model.LargestChange(row, o))
            << NameOf(matrix.dtype()) << " token " << t << " row " << o;
      }
    }
  }
}

}  // namespace tome
