// Elementwise operations between matrix products and after the last one.
#pragma once

#include <cstdint>

namespace tome {

// The activation of a feed-forward network (matmul.h).
enum class Activation {
  kNone,      // x
  kSilu,      // x · sigmoid(x)
  kGeluTanh,  // 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))
  kGelu,      // 0.5 x (1 + erf(x / √2))      (Hendrycks and Gimpel, 2016)
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
