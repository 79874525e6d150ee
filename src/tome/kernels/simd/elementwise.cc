#include <algorithm>
#include <cmath>
#include <limits>

#include "tome/kernels/simd/math.h"
#include "tome/kernels/simd/norm.h"
#include "tome/kernels/simd/set.h"

namespace tome::TOME_KERNEL_SET {
namespace {

// Returns the rows of one task: enough work to outweigh the cost of starting it.
int64_t RowsPerTask(int64_t width) { return std::max<int64_t>(1, 8192 / width); }

void NormalizeRow(const RmsNormArgs& args, int64_t row) {
  const float* const x = args.x + row * args.width;
  const float* const weight = args.weight + row % args.groups * args.width;
  float* const y = args.y + row * args.width;
  const F32 factor = Set(RmsFactor(x, args.width, args.eps));
  for (int64_t i = 0; i < args.width; i += kLanes) {
    const int64_t left = args.width - i;
    StoreFirst(y + i, Mul(LoadFirst(weight + i, left), Mul(LoadFirst(x + i, left), factor)), left);
  }
}

void NormalizeLayerRow(const LayerNormArgs& args, int64_t row) {
  const float* const x = args.x + row * args.width;
  float* const y = args.y + row * args.width;
  F64Sum total;
  for (int64_t i = 0; i < args.width; i += kLanes) {
    const int64_t left = args.width - i;
    F32 value = LoadFirst(x + i, left);
    if (args.residual != nullptr) {
      value = Add(value, LoadFirst(args.residual + row * args.width + i, left));
    }
    total.AddValues(value);
    StoreFirst(y + i, value, left);
  }
  const auto width = static_cast<double>(args.width);
  const F32 mean = Set(static_cast<float>(total.Total() / width));
  F64Sum squares;
  for (int64_t i = 0; i < args.width; i += kLanes) {
    const int64_t left = args.width - i;
    StoreFirst(y + i, Sub(LoadFirst(y + i, left), mean), left);
    squares.AddSquares(LoadFirst(y + i, left));
  }
  const double variance = squares.Total() / width;
  const F32 factor = Set(static_cast<float>(1.0 / std::sqrt(variance + double{args.eps})));
  for (int64_t i = 0; i < args.width; i += kLanes) {
    const int64_t left = args.width - i;
    const F32 scaled = Mul(LoadFirst(y + i, left), factor);
    const F32 bias = args.bias != nullptr ? LoadFirst(args.bias + i, left) : Zero();
    StoreFirst(y + i, Add(Mul(LoadFirst(args.weight + i, left), scaled), bias), left);
  }
}

void RotateHalves(float* x, const float* cos, const float* sin, int64_t half) {
  for (int64_t i = 0; i < half; i += kLanes) {
    const int64_t left = half - i;
    const F32 a = LoadFirst(x + i, left);
    const F32 b = LoadFirst(x + half + i, left);
    const F32 c = LoadFirst(cos + i, left);
    const F32 s = LoadFirst(sin + i, left);
    StoreFirst(x + i, Sub(Mul(a, c), Mul(b, s)), left);
    StoreFirst(x + half + i, Add(Mul(b, c), Mul(a, s)), left);
  }
}

void RotatePairs(float* x, const float* cos, const float* sin, int64_t half) {
  int64_t i = 0;
  for (; i + kLanes <= half; i += kLanes) {
    F32 a;
    F32 b;
    Deinterleave(Load(x + 2 * i), Load(x + 2 * i + kLanes), a, b);
    const F32 c = Load(cos + i);
    const F32 s = Load(sin + i);
    F32 low;
    F32 high;
    Interleave(Sub(Mul(a, c), Mul(b, s)), Add(Mul(b, c), Mul(a, s)), low, high);
    Store(x + 2 * i, low);
    Store(x + 2 * i + kLanes, high);
  }
  for (; i < half; ++i) {
    const float a = x[2 * i];
    const float b = x[2 * i + 1];
    x[2 * i] = a * cos[i] - b * sin[i];
    x[2 * i + 1] = b * cos[i] + a * sin[i];
  }
}

// Writes the sums of neighbours to the lower half of y and their differences to the upper half: one
// step of the transform. After as many steps as an index has bits, every value is back in its
// place, by the same additions as in place at distances 1, 2, 4, ….
void AddNeighbours(const float* x, float* y, int64_t block) {
  const int64_t half = block / 2;
  int64_t i = 0;
  for (; i + kLanes <= half; i += kLanes) {
    F32 even;
    F32 odd;
    Deinterleave(Load(x + 2 * i), Load(x + 2 * i + kLanes), even, odd);
    Store(y + i, Add(even, odd));
    Store(y + half + i, Sub(even, odd));
  }
  for (; i < half; ++i) {
    y[i] = x[2 * i] + x[2 * i + 1];
    y[half + i] = x[2 * i] - x[2 * i + 1];
  }
}

void TransformBlock(float* x, int64_t block, float scale) {
  float first[kMaxHeadSize];
  float second[kMaxHeadSize];
  float* from = first;
  float* to = second;
  for (int64_t i = 0; i < block; i += kLanes) {
    StoreFirst(from + i, Mul(LoadFirst(x + i, block - i), Set(scale)), block - i);
  }
  for (int64_t step = 1; step < block; step *= 2) {
    AddNeighbours(from, to, block);
    float* const done = to;
    to = from;
    from = done;
  }
  for (int64_t i = 0; i < block; i += kLanes) {
    StoreFirst(x + i, LoadFirst(from + i, block - i), block - i);
  }
}

}  // namespace

void Hadamard(const HadamardArgs& args, ThreadPool& threads) noexcept {
  const int64_t block = HadamardBlock(args.head_size);
  const float scale = 1.0F / std::sqrt(static_cast<float>(block));
  const int64_t blocks = args.heads * args.head_size / block;
  const int64_t step = RowsPerTask(args.heads * args.head_size);
  threads.ParallelFor((args.tokens + step - 1) / step, [&](int64_t task, int) {
    const int64_t end = std::min(args.tokens, (task + 1) * step);
    for (int64_t b = task * step * blocks; b < end * blocks; ++b) {
      TransformBlock(args.x + b * block, block, scale);
    }
  });
}

void RmsNorm(const RmsNormArgs& args, ThreadPool& threads) noexcept {
  const int64_t step = RowsPerTask(args.width);
  threads.ParallelFor((args.rows + step - 1) / step, [&](int64_t task, int) {
    const int64_t end = std::min(args.rows, (task + 1) * step);
    for (int64_t row = task * step; row < end; ++row) NormalizeRow(args, row);
  });
}

void LayerNorm(const LayerNormArgs& args, ThreadPool& threads) noexcept {
  const int64_t step = RowsPerTask(args.width);
  threads.ParallelFor((args.rows + step - 1) / step, [&](int64_t task, int) {
    const int64_t end = std::min(args.rows, (task + 1) * step);
    for (int64_t row = task * step; row < end; ++row) NormalizeLayerRow(args, row);
  });
}

void Rope(const RopeArgs& args, ThreadPool& threads) noexcept {
  const int64_t half = args.rotary / 2;
  const int64_t step = RowsPerTask(args.heads * args.head_size);
  threads.ParallelFor((args.tokens + step - 1) / step, [&](int64_t task, int) {
    const int64_t end = std::min(args.tokens, (task + 1) * step);
    for (int64_t t = task * step; t < end; ++t) {
      for (int64_t h = 0; h < args.heads; ++h) {
        float* const x = args.x + (t * args.heads + h) * args.head_size;
        if (args.layout == RopeLayout::kInterleaved) {
          RotatePairs(x, args.cos + t * half, args.sin + t * half, half);
        } else {
          RotateHalves(x, args.cos + t * half, args.sin + t * half, half);
        }
      }
    }
  });
}

void SoftCap(const SoftCapArgs& args) noexcept {
  for (int64_t i = 0; i < args.size; i += kLanes) {
    const int64_t left = args.size - i;
    const F32 x = LoadFirst(args.x + i, left);
    StoreFirst(args.x + i, Mul(Set(args.cap), Tanh(Div(x, Set(args.cap)))), left);
  }
}

double LogSumExp(const LogSumExpArgs& args) noexcept {
  // Values that are summed in float, few enough that the error of rounding stays below 1e-6.
  constexpr int64_t kSummed = 16 * kLanes;
  const int64_t whole = args.size - args.size % kLanes;
  F32 most = Set(-std::numeric_limits<float>::infinity());
  for (int64_t i = 0; i < whole; i += kLanes) most = Max(most, Load(args.x + i));
  float largest = Largest(most);
  for (int64_t i = whole; i < args.size; ++i) largest = std::max(largest, args.x[i]);
  double total = 0;
  for (int64_t begin = 0; begin < whole; begin += kSummed) {
    F32 sum = Set(0);
    for (int64_t i = begin; i < std::min(whole, begin + kSummed); i += kLanes) {
      sum = Add(sum, Exp(Sub(Load(args.x + i), Set(largest))));
    }
    total += double{Sum(sum)};
  }
  for (int64_t i = whole; i < args.size; ++i)
    total += std::exp(double{args.x[i]} - double{largest});
  return double{largest} + std::log(total);
}

}  // namespace tome::TOME_KERNEL_SET
