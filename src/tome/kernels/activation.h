// Elementwise operations between matrix products and after the last one.
#pragma once

#include <cstdint>

namespace tome {

// The activation of a gated feed-forward network (matmul.h).
enum class Activation {
  kSilu,      // x · sigmoid(x)
  kGeluTanh,  // 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))
};

// x = cap · tanh(x / cap), in place (Gemma 2).
struct SoftCapArgs {
  float* x = nullptr;
  int64_t size = 0;
  float cap = 0;
};

// ln Σ e^x, which turns logits into log-probabilities. A −∞ adds 0. The error is at most 2e-6 or
// one unit in the last place of a float, whichever is more.
struct LogSumExpArgs {
  const float* x = nullptr;
  int64_t size = 0;  // at least 1
};

}  // namespace tome
