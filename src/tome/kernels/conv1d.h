// Causal depthwise convolution over time, followed by SiLU. Each channel has its own weights, which
// cover the token and the W − 1 tokens before it.
//
//   y[t, c] = silu(bias[c] + Σ_j weight[j, c] · x[t − (W − 1) + j, c])
//
// A sequence carries a window along, the last W − 1 inputs before its next token; it is zero where
// the sequence begins. A token's result is the same, bit for bit, however a sequence is cut into
// calls.
#pragma once

#include <cstdint>
#include <span>

namespace tome {

// New tokens of one sequence.
struct ConvSequence {
  int64_t tokens = 0;             // at least 1
  const float* window = nullptr;  // [W - 1, channels], the inputs before the tokens, oldest first
  float* next_window = nullptr;   // [W - 1, channels], the last inputs; must not overlap window
};

struct Conv1dArgs {
  std::span<const ConvSequence> sequences;
  const float* x = nullptr;       // [T, channels], sequence after sequence
  const float* weight = nullptr;  // [W, channels]; row W - 1 is the current token's
  const float* bias = nullptr;    // [channels]; null: none
  float* y = nullptr;             // [T, channels]; must not overlap x
  int64_t channels = 0;
  int64_t width = 0;  // W, at least 1
};

}  // namespace tome
