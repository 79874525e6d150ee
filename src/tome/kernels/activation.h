// Elementwise operations between matrix products.
#pragma once

#include <cstdint>

namespace tome {

enum class Activation {
  kSilu,      // x · sigmoid(x)
  kGeluTanh,  // 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))
};

// out = activation(gate) ⊙ up: the middle of SwiGLU and GeGLU (Shazeer, 2020).
struct GatedActivationArgs {
  const float* gate = nullptr;  // [rows, width], rows `gate_stride` apart
  const float* up = nullptr;    // [rows, width], rows `up_stride` apart
  float* out = nullptr;         // [rows, width], dense; may be gate when that is dense
  int64_t rows = 0;
  int64_t width = 0;
  int64_t gate_stride = 0;
  int64_t up_stride = 0;
  Activation activation = Activation::kSilu;
};

// x = cap · tanh(x / cap) (Gemma 2).
struct SoftCapArgs {
  float* x = nullptr;
  int64_t size = 0;
  float cap = 0;
};

}  // namespace tome
