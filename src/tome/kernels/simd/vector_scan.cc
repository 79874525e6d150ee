#include "tome/kernels/vector_scan.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "tome/kernels/simd/set.h"
#include "tome/kernels/simd/simd.h"

namespace tome::TOME_KERNEL_SET {
namespace {

// Signed bytes that become words of one vector.
constexpr int64_t kWords = 2 * kLanes;

// Rows that are read side by side. Memory is fastest when a processor asks for several pages at a
// time, so these rows lie a quarter of a bitmap word apart.
constexpr int64_t kStreams = 4;
constexpr int64_t kApart = kScanRows / kStreams;

// Computes the sums of kRows rows that are `stride` bytes apart.
template <int kRows>
void SumRows(const VectorScanArgs& args, int64_t row, int64_t stride, int32_t* sums) {
  const int8_t* const x = args.vectors + row * args.width;
  I32 acc[kRows];
  TOME_UNROLL
  for (I32& each : acc) each = ZeroI32();
  const int64_t whole = args.width - args.width % kWords;
  for (int64_t i = 0; i < whole; i += kWords) {
    const I32 q = LoadI32(args.query + i);
    TOME_UNROLL
    for (int r = 0; r < kRows; ++r) acc[r] = DotWords(acc[r], LoadI8Words(x + r * stride + i), q);
  }
  if (whole < args.width) {
    const I32 q = LoadI32(args.query + whole);
    TOME_UNROLL
    for (int r = 0; r < kRows; ++r) {
      int8_t rest[kWords] = {};
      std::memcpy(rest, x + r * stride + whole, static_cast<size_t>(args.width - whole));
      acc[r] = DotWords(acc[r], LoadI8Words(rest), q);
    }
  }
  TOME_UNROLL
  for (int r = 0; r < kRows; ++r) sums[r] = SumI32(acc[r]);
}

float Score(const VectorScanArgs& args, int64_t row, int32_t sum) {
  return static_cast<float>(sum) * args.query_scale * args.scales[row];
}

void ScoreRow(const VectorScanArgs& args, int64_t row) {
  int32_t sum = 0;
  SumRows<1>(args, row, 0, &sum);
  args.scores[row] = Score(args, row, sum);
}

// Scores all kScanRows rows from `begin` on.
void ScoreWord(const VectorScanArgs& args, int64_t begin) {
  for (int64_t row = begin; row < begin + kApart; ++row) {
    int32_t sums[kStreams];
    SumRows<kStreams>(args, row, kApart * args.width, sums);
    for (int64_t s = 0; s < kStreams; ++s) {
      args.scores[row + s * kApart] = Score(args, row + s * kApart, sums[s]);
    }
  }
}

// Returns the sum of a row of nibbles, Σ query · nibble.
int32_t SumNibbles(const uint8_t* run, const int8_t* query, int64_t runs) {
  const I32 low = SetI32(0x0F0F0F0F);
  I32 a = ZeroI32();
  I32 b = ZeroI32();
  for (int64_t i = 0; i < runs; ++i) {
    TOME_UNROLL
    for (int64_t j = 0; j < kNibbleRun / 2; j += kVectorBytes) {
      const I32 bytes = LoadI32(run + j);
      a = DotSmall(a, AndI32(bytes, low), LoadI32(query + j));
      b = DotSmall(b, AndI32(ShiftRight<4>(bytes), low), LoadI32(query + kNibbleRun / 2 + j));
    }
    run += kNibbleRun / 2;
    query += kNibbleRun;
  }
  return SumI32(AddI32(a, b));
}

}  // namespace

void ScanVectors(const VectorScanArgs& args) noexcept {
  for (int64_t begin = 0; begin < args.rows; begin += kScanRows) {
    const int64_t count = std::min(kScanRows, args.rows - begin);
    const uint64_t all = ~uint64_t{0} >> (kScanRows - count);
    uint64_t bits = args.kept == nullptr ? all : args.kept[begin / kScanRows] & all;
    if (bits == ~uint64_t{0}) {
      ScoreWord(args, begin);
      continue;
    }
    if (bits != all) {
      for (int64_t row = begin; row < begin + count; ++row) {
        args.scores[row] = -std::numeric_limits<float>::infinity();
      }
    }
    for (; bits != 0; bits &= bits - 1) ScoreRow(args, begin + std::countr_zero(bits));
  }
}

void ScanNibbles(const NibbleScanArgs& args) noexcept {
  const int64_t runs = NibbleRuns(args.width);
  const int64_t bytes = NibbleBytes(args.width);
  int32_t total = 0;
  for (int64_t i = 0; i < runs * kNibbleRun; ++i) total += args.query[i];
  for (int64_t row = 0; row < args.rows; ++row) {
    const int32_t sum = 2 * SumNibbles(args.nibbles + row * bytes, args.query, runs) - 15 * total;
    args.scores[row] = static_cast<float>(sum) * args.query_scale * args.scales[row];
  }
}

}  // namespace tome::TOME_KERNEL_SET
