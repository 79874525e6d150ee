#include "tome/kernels/pooling.h"

#include <algorithm>
#include <cmath>

#include "tome/kernels/generic/generic.h"

namespace tome::generic {
namespace {

void PoolSequence(const PoolArgs& args, int64_t begin, int64_t end, float* y) {
  const int64_t row = args.pooling == Pooling::kLast ? end - 1 : begin;
  std::copy_n(args.x + row * args.width, args.width, y);
  if (args.pooling == Pooling::kMean) {
    for (int64_t i = 0; i < args.width; ++i) {
      double sum = 0;
      for (int64_t r = begin; r < end; ++r) sum += double{args.x[r * args.width + i]};
      y[i] = static_cast<float>(sum / static_cast<double>(end - begin));
    }
  }
  if (args.scale == PoolScale::kAsIs) return;
  double squares = 0;
  for (int64_t i = 0; i < args.width; ++i) squares += double{y[i]} * y[i];
  const auto factor = static_cast<float>(1.0 / std::max(std::sqrt(squares), 1e-12));
  for (int64_t i = 0; i < args.width; ++i) y[i] *= factor;
}

}  // namespace

void Pool(const PoolArgs& args, ThreadPool& threads) noexcept {
  const auto sequences = static_cast<int64_t>(args.begins.size()) - 1;
  threads.ParallelFor(sequences, [&](int64_t s, int) {
    const auto at = static_cast<size_t>(s);
    PoolSequence(args, args.begins[at], args.begins[at + 1], args.y + s * args.width);
  });
}

}  // namespace tome::generic
