// Causal depthwise convolution over time: each channel with weights of its own, over the token and
// the W − 1 before it.
//
//   y[t, c] = silu(bias[c] + Σ_j weight[j, c] · x[t − (W − 1) + j, c])
//
// What came before the first token is in a window, which a sequence carries along: the last W − 1
// inputs, zeros where the sequence began. A token's result does not depend, by a bit, on how a
// sequence is cut into calls.
#pragma once

#include <cstdint>
#include <span>

namespace tome {

// New tokens of one sequence.
struct ConvSequence {
  int64_t tokens = 0;             // at least 1
  const float* window = nullptr;  // [W - 1, channels], oldest first: the inputs before
  float* next_window = nullptr;   // [W - 1, channels]: those behind; must not overlap window
};

struct Conv1dArgs {
  std::span<const ConvSequence> sequences;
  const float* x = nullptr;       // [T, channels], sequence after sequence
  const float* weight = nullptr;  // [W, channels]; row W - 1 is the current token's
  const float* bias = nullptr;    // [channels], or none
  float* y = nullptr;             // [T, channels]; must not overlap x
  int64_t channels = 0;
  int64_t width = 0;  // W, at least 1
};

}  // namespace tome
