// Rotary position embedding (Su et al., 2021) rotates pairs of channels by an angle that grows with
// the position.
//
//   (a, b) → (a cos − b sin, b cos + a sin)
//
// The caller passes the angles as tables and so decides how frequencies are scaled
// (models/layers/rope.h).
#pragma once

#include <cstdint>

namespace tome {

enum class RopeLayout {
  kInterleaved,  // pairs (2i, 2i+1): GGUF files of architecture `llama`
  kHalfSplit,    // pairs (i, i + R/2), "NeoX": Hugging Face checkpoints, other GGUF architectures
};

struct RopeArgs {
  float* x = nullptr;          // [tokens, heads, head_size], in place
  const float* cos = nullptr;  // [tokens, rotary / 2]
  const float* sin = nullptr;  // [tokens, rotary / 2]
  int64_t tokens = 0;
  int64_t heads = 0;
  int64_t head_size = 0;
  int64_t rotary = 0;  // number of first channels of each head that rotate; even, <= head_size
  RopeLayout layout = RopeLayout::kHalfSplit;
};

}  // namespace tome
