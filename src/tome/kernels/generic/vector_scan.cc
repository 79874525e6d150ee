#include "tome/kernels/vector_scan.h"

#include <limits>

#include "tome/kernels/generic/generic.h"

namespace tome::generic {

void ScanVectors(const VectorScanArgs& args) noexcept {
  for (int64_t row = 0; row < args.rows; ++row) {
    const bool kept =
        args.kept == nullptr || (args.kept[row / kScanRows] >> (row % kScanRows) & 1) != 0;
    if (!kept) {
      args.scores[row] = -std::numeric_limits<float>::infinity();
      continue;
    }
    const int8_t* const x = args.vectors + row * args.width;
    int32_t sum = 0;
    for (int64_t i = 0; i < args.width; ++i) sum += int32_t{args.query[i]} * x[i];
    args.scores[row] = static_cast<float>(sum) * args.query_scale * args.scales[row];
  }
}

void ScanNibbles(const NibbleScanArgs& args) noexcept {
  for (int64_t row = 0; row < args.rows; ++row) {
    const uint8_t* run = args.nibbles + row * NibbleBytes(args.width);
    int32_t sum = 0;
    for (const int8_t* q = args.query; q < args.query + args.width; q += kNibbleRun) {
      for (int64_t j = 0; j < kNibbleRun / 2; ++j) {
        sum += q[j] * (2 * (run[j] & 15) - 15);
        sum += q[j + kNibbleRun / 2] * (2 * (run[j] >> 4) - 15);
      }
      run += kNibbleRun / 2;
    }
    args.scores[row] = static_cast<float>(sum) * args.query_scale * args.scales[row];
  }
}

}  // namespace tome::generic
