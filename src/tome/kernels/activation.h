// Elementwise operations between matrix products, and behind the last of them.
#pragma once

#include <cstdint>

namespace tome {

// Of a gated feed-forward network (matmul.h).
enum class Activation {
  kSilu,      // x · sigmoid(x)
  kGeluTanh,  // 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))
};

// x = cap · tanh(x / cap) (Gemma 2).
struct SoftCapArgs {
  float* x = nullptr;
  int64_t size = 0;
  float cap = 0;
};

// ln Σ e^x: what turns logits into log-probabilities. −∞ adds nothing; within 2e-6 of the exact
// value or of its last place in float, whichever is more.
struct LogSumExpArgs {
  const float* x = nullptr;
  int64_t size = 0;  // at least 1
};

}  // namespace tome
