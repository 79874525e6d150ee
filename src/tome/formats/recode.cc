#include "tome/formats/recode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tome/base/error.h"
#include "tome/tensor/codec.h"

namespace tome {
namespace {

// Values that are recoded before they are written. So many give each thread rows to encode, and
// need only some megabytes of memory.
constexpr int64_t kPieceValues = int64_t{1} << 22;

void CheckFitsF16(std::span<const float> values) {
  constexpr float kRoundsToInfinity = 65520;
  for (const float value : values) {
    if (std::isfinite(value) && std::fabs(value) >= kRoundsToInfinity) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("the value {} is too large for F16; take BF16", value));
    }
  }
}

}  // namespace

void RecodeTensor(const TensorView& tensor, DType dtype, ThreadPool& pool, const ByteSink& write) {
  const int64_t row_values = tensor.shape.row_elements();
  const int64_t rows = tensor.shape.elements() == 0 ? 0 : tensor.shape.rows();
  const int64_t in_bytes = tensor.row_bytes();
  const int64_t rows_per_piece =
      std::max<int64_t>(kPieceValues / std::max<int64_t>(row_values, 1), 1);
  const int64_t out_bytes = RowBytes(dtype, row_values);
  std::vector<std::byte> piece;
  std::vector<std::vector<float>> values(static_cast<size_t>(pool.threads()));
  for (int64_t begin = 0; begin < rows; begin += rows_per_piece) {
    const int64_t count = std::min(rows_per_piece, rows - begin);
    if (dtype == tensor.dtype) {
      write({tensor.row(begin), static_cast<size_t>(count * in_bytes)});
      continue;
    }
    piece.resize(static_cast<size_t>(count * out_bytes));
    pool.ParallelFor(count, [&](int64_t row, int worker) {
      std::vector<float>& floats = values[static_cast<size_t>(worker)];
      floats.resize(static_cast<size_t>(row_values));
      DecodeRow(tensor.dtype, tensor.row(begin + row), floats);
      if (dtype == DType::kF16) CheckFitsF16(floats);
      EncodeRow(dtype, floats, piece.data() + row * out_bytes);
    });
    write(piece);
  }
}

}  // namespace tome
