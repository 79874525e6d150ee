// Walsh-Hadamard transform of heads: an orthogonal change of basis that spreads a large channel
// over all of its block, so that a few outliers no longer take the range of a quantized block
// (QuaRot, Ashkboos et al., 2024). Scores do not change when both queries and keys are transformed.
//
//   y[i] = 1/√B · Σ_j (−1)^popcount(i & j) · x[j]
//
// The formula holds in every block of B channels, where B is the largest power of two that divides
// the head size. The transform is its own inverse. Every kernel set scales first and then adds
// pairs of distance 1, 2, 4, …, so all sets give the same bits.
#pragma once

#include <cstdint>

namespace tome {

struct HadamardArgs {
  float* x = nullptr;  // [tokens, heads, head_size], in place
  int64_t tokens = 0;
  int64_t heads = 0;
  int64_t head_size = 0;  // at most kMaxHeadSize
};

constexpr int64_t HadamardBlock(int64_t head_size) { return head_size & -head_size; }

}  // namespace tome
