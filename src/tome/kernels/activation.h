// Elementwise operations between matrix products.
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

}  // namespace tome
