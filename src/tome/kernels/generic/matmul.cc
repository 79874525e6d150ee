#include "tome/kernels/matmul.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "tome/kernels/generic/dot.h"
#include "tome/kernels/generic/generic.h"
#include "tome/tensor/codec.h"

namespace tome::generic {
namespace {

// Elements of a row that are decoded at a time. They are whole blocks of every type and take 4 KiB
// of stack.
constexpr int64_t kPiece = 1024;
// Most tokens that share one decoding of a row of weights. Each has its sum on the stack.
constexpr int64_t kTaskTokens = 256;
using Sums = std::array<float, kTaskTokens>;

// Writes the dot products of one row of weights with `tokens` rows of x to `sums`. A piece of the
// weights is decoded once and multiplied with all tokens before the next piece is decoded.
void MultiplyRow(const PackedMatrix& matrix, int64_t row, const float* x, int64_t tokens,
                 Sums& sums) {
  const DTypeTraits& traits = TraitsOf(matrix.dtype);
  const std::byte* bytes =
      matrix.data + row * (matrix.in / traits.block_elements) * traits.block_bytes;
  std::array<float, kPiece> piece;
  std::fill_n(sums.begin(), tokens, 0.0F);
  for (int64_t begin = 0; begin < matrix.in; begin += kPiece) {
    const int64_t size = std::min(kPiece, matrix.in - begin);
    DecodeRow(matrix.dtype, bytes + begin / traits.block_elements * traits.block_bytes,
              std::span(piece.data(), static_cast<size_t>(size)));
    for (int64_t t = 0; t < tokens; ++t) {
      sums[static_cast<size_t>(t)] += Dot(piece.data(), x + t * matrix.in + begin, size);
    }
  }
}

void ComputeRow(const MatmulOutput& output, int64_t row, const float* x, int64_t first,
                int64_t tokens) {
  Sums sums;
  MultiplyRow(output.weights, row, x, tokens, sums);
  Sums gates;
  if (output.gate.data != nullptr) MultiplyRow(output.gate, row, x, tokens, gates);
  for (int64_t t = 0; t < tokens; ++t) {
    float value = sums[static_cast<size_t>(t)];
    if (output.bias != nullptr) value += output.bias[row];
    if (output.gate.data != nullptr) {
      value *= Activate(output.activation, gates[static_cast<size_t>(t)]);
    } else {
      value = Activate(output.activation, value);
    }
    float& y = output.y[(first + t) * output.weights.out + row];
    y = output.add ? y + value : value;
  }
}

}  // namespace

int64_t PackedBytes(DType, int64_t, int64_t) noexcept { return 0; }
void Pack(const TensorView&, std::byte*, ThreadPool&) noexcept {}

int64_t MatmulScratch(const MatmulArgs& args) noexcept {
  return args.norm_weight == nullptr ? 0
                                     : args.tokens * args.in * static_cast<int64_t>(sizeof(float));
}

void Matmul(const MatmulArgs& args, ThreadPool& threads) noexcept {
  const float* x = args.x;
  if (args.norm_weight != nullptr) {
    auto* const normalized = reinterpret_cast<float*>(args.scratch);
    RmsNorm({.x = args.x,
             .weight = args.norm_weight,
             .y = normalized,
             .rows = args.tokens,
             .width = args.in,
             .eps = args.norm_eps},
            threads);
    x = normalized;
  }
  for (const MatmulOutput& output : args.outputs) {
    threads.ParallelFor(output.weights.out, [&](int64_t row, int) {
      for (int64_t first = 0; first < args.tokens; first += kTaskTokens) {
        ComputeRow(output, row, x + first * args.in, first,
                   std::min(kTaskTokens, args.tokens - first));
      }
    });
  }
}

}  // namespace tome::generic
