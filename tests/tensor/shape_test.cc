#include "tome/tensor/shape.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "tests/expect_error.h"
#include "tome/tensor/dtype.h"
#include "tome/tensor/tensor.h"

namespace tome {
namespace {

TEST(Shape, CountsElementsAndRows) {
  const Shape shape{2, 3, 5};
  EXPECT_EQ(shape.elements(), 30);
  EXPECT_EQ(shape.rows(), 6);
  EXPECT_EQ(shape.row_elements(), 5);
  EXPECT_EQ(ToString(shape), "[2, 3, 5]");
  EXPECT_EQ(Shape{}.elements(), 1);
  EXPECT_EQ(Shape{}.row_elements(), 1);
  EXPECT_EQ((Shape{4, 0}).elements(), 0);
}

TEST(Shape, RefusesWhatCannotBe) {
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [] { Shape{1, 1, 1, 1, 1}; }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [] { Shape{-1}; }));
  constexpr int64_t kHalf = int64_t{1} << 32;
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [] { Shape{kHalf, kHalf}; }));
}

TEST(DType, NamesAreFoundInAnyCaseAndNoOthers) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(DTypeFromName(NameOf(dtype)), dtype);
  }
  EXPECT_EQ(DTypeFromName("q4_k"), DType::kQ4_K);
  EXPECT_FALSE(DTypeFromName("q4_k_m"));
  EXPECT_FALSE(DTypeFromName(""));
}

TEST(DType, RowBytesCountWholeBlocks) {
  EXPECT_EQ(RowBytes(DType::kQ4_0, 64), 36);
  EXPECT_EQ(RowBytes(DType::kQ6_K, 512), 420);
  EXPECT_EQ(RowBytes(DType::kBF16, 3), 6);
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [] { RowBytes(DType::kQ4_0, 33); }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [] { RowBytes(DType::kF32, -1); }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument,
                    [] { RowBytes(DType::kF64, std::numeric_limits<int64_t>::max() / 4); }));
}

TEST(Tensor, IsAlignedAndZero) {
  Tensor tensor(DType::kF32, {3, 5});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data()) % kTensorAlignment, 0U);
  for (const float value : tensor.floats()) EXPECT_EQ(value, 0);
  EXPECT_EQ(tensor.view().bytes(), 60);
  EXPECT_EQ(tensor.view().row(2), tensor.data() + 40);
}

TEST(Tensor, BeyondTheMachineIsAnError) {
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [] {
    Tensor(DType::kF64, {int64_t{1} << 31, int64_t{1} << 31});
  }));
}

}  // namespace
}  // namespace tome
