#include "tome/kernels/matmul.h"

#include <algorithm>
#include <array>
#include <span>

#include "tome/kernels/generic/dot.h"
#include "tome/kernels/generic/generic.h"
#include "tome/tensor/codec.h"

namespace tome::generic {
namespace {

// A piece of a row that is decoded at a time: whole blocks of every type, 4 KiB of stack.
constexpr int64_t kPiece = 1024;
// Rows of weights that are one task: enough work to outweigh fetching it.
constexpr int64_t kRowsPerTask = 16;

// One row of weights with all tokens: y[t] += piece · x[t, piece], piece after piece.
void MultiplyRow(const MatmulArgs& args, int64_t row, int64_t in, int64_t out) {
  const DTypeTraits& traits = TraitsOf(args.weights.dtype);
  const std::byte* bytes = args.weights.row(row);
  std::array<float, kPiece> piece;
  for (int64_t t = 0; t < args.tokens; ++t) args.y[t * out + row] = 0;
  for (int64_t begin = 0; begin < in; begin += kPiece) {
    const int64_t size = std::min(kPiece, in - begin);
    DecodeRow(args.weights.dtype, bytes + begin / traits.block_elements * traits.block_bytes,
              std::span(piece.data(), static_cast<size_t>(size)));
    for (int64_t t = 0; t < args.tokens; ++t) {
      args.y[t * out + row] += Dot(piece.data(), args.x + t * in + begin, size);
    }
  }
}

}  // namespace

void Matmul(const MatmulArgs& args, ThreadPool& threads) noexcept {
  const int64_t out = args.weights.shape[0];
  const int64_t in = args.weights.shape[1];
  const int64_t tasks = (out + kRowsPerTask - 1) / kRowsPerTask;
  threads.ParallelFor(tasks, [&](int64_t task, int) {
    const int64_t end = std::min(out, (task + 1) * kRowsPerTask);
    for (int64_t row = task * kRowsPerTask; row < end; ++row) MultiplyRow(args, row, in, out);
  });
}

}  // namespace tome::generic
