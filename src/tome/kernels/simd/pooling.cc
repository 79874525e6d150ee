#include "tome/kernels/pooling.h"

#include <algorithm>
#include <cmath>

#include "tome/kernels/simd/set.h"
#include "tome/kernels/simd/simd.h"

namespace tome::TOME_KERNEL_SET {
namespace {

// Rows that are summed in float before their sum is added to the total, so that the error of
// rounding grows slowly with the sequence.
constexpr int64_t kSummedRows = 64;

// Writes the mean of rows [begin, end) of kLanes columns at `x`.
F32 MeanOfColumns(const float* x, int64_t width, int64_t rows, int64_t left) {
  F32 total = Zero();
  for (int64_t first = 0; first < rows; first += kSummedRows) {
    F32 sum = Zero();
    const int64_t end = std::min(rows, first + kSummedRows);
    for (int64_t r = first; r < end; ++r) sum = Add(sum, LoadFirst(x + r * width, left));
    total = Add(total, sum);
  }
  return Div(total, Set(static_cast<float>(rows)));
}

void PoolSequence(const PoolArgs& args, int64_t begin, int64_t end, float* y) {
  const int64_t row = args.pooling == Pooling::kLast ? end - 1 : begin;
  const float* const x = args.x + row * args.width;
  F64Sum squares;
  for (int64_t i = 0; i < args.width; i += kLanes) {
    const int64_t left = args.width - i;
    const F32 value = args.pooling == Pooling::kMean
                          ? MeanOfColumns(x + i, args.width, end - begin, left)
                          : LoadFirst(x + i, left);
    squares.AddSquares(value);
    StoreFirst(y + i, value, left);
  }
  if (args.scale == PoolScale::kAsIs) return;
  const F32 factor = Set(static_cast<float>(1.0 / std::max(std::sqrt(squares.Total()), 1e-12)));
  for (int64_t i = 0; i < args.width; i += kLanes) {
    StoreFirst(y + i, Mul(LoadFirst(y + i, args.width - i), factor), args.width - i);
  }
}

}  // namespace

void Pool(const PoolArgs& args, ThreadPool& threads) noexcept {
  const auto sequences = static_cast<int64_t>(args.begins.size()) - 1;
  threads.ParallelFor(sequences, [&](int64_t s, int) {
    const auto at = static_cast<size_t>(s);
    PoolSequence(args, args.begins[at], args.begins[at + 1], args.y + s * args.width);
  });
}

}  // namespace tome::TOME_KERNEL_SET
