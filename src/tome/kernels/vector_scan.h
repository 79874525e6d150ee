// Scans of stored vectors: the scores of one query with many quantized vectors, which are the inner
// loop of dense retrieval.
//
//   scan_vectors   score[r] = scale[r] · query_scale · Σ_i query[i] · vector[r, i]
//   scan_nibbles   score[r] = scale[r] · query_scale · Σ_i query[i] · (2 · nibble[r, i] − 15)
//
// Vectors have 8 or 4 bits a value. The query keeps 16 bits over vectors of 8, because the scan
// waits for memory and not for products: with so fine a query, what a score loses is the vectors'
// rounding alone. The sums are exact integers, and only the sum and the two products are rounded to
// float, so every kernel set gives the same bits.
//
// A scan runs on the calling thread. Callers cut the rows into tasks, and choose the best scores.
#pragma once

#include <cstdint>

namespace tome {

// Rows of a bitmap word, and the multiple that queries are padded to.
inline constexpr int64_t kScanRows = 64;
inline constexpr int64_t kScanPadding = 64;
// Values of one run of nibbles, which is a cache line.
inline constexpr int64_t kNibbleRun = 128;

constexpr int64_t PaddedQuery(int64_t width) {
  return (width + kScanPadding - 1) / kScanPadding * kScanPadding;
}
constexpr int64_t NibbleRuns(int64_t width) { return (width + kNibbleRun - 1) / kNibbleRun; }
// Bytes of one vector of nibbles. Byte j of a run holds value j of the run in its low half and
// value j + 64 in its high half. Values after the last one may be anything.
constexpr int64_t NibbleBytes(int64_t width) { return NibbleRuns(width) * kNibbleRun / 2; }

struct VectorScanArgs {
  const int8_t* vectors = nullptr;  // [rows, width], none of them −128
  const float* scales = nullptr;    // [rows]
  // [PaddedQuery(width)], zero from `width` on. 127 · Σ |query| is less than 2^31.
  const int16_t* query = nullptr;
  float query_scale = 0;
  // [⌈rows / kScanRows⌉]: rows whose bits are set are scored, and the vectors of the others are not
  // read. Null: all rows are scored. Bits after the last row may be anything.
  const uint64_t* kept = nullptr;
  float* scores = nullptr;  // [rows]; −∞ for rows that are not scored
  int64_t rows = 0;
  int64_t width = 0;
};

struct NibbleScanArgs {
  const uint8_t* nibbles = nullptr;  // [rows, NibbleBytes(width)]
  const float* scales = nullptr;     // [rows]
  // [NibbleRuns(width) · kNibbleRun], zero from `width` on, none of them −128. Σ |query| is less
  // than 2^31 / 30.
  const int8_t* query = nullptr;
  float query_scale = 0;
  float* scores = nullptr;  // [rows]
  int64_t rows = 0;
  int64_t width = 0;
};

}  // namespace tome
