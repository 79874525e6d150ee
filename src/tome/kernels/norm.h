// Normalizations over the last axis.
//
//   RMSNorm(x)   = w ⊙ x / sqrt(mean(x²) + eps)                 (Zhang and Sennrich, 2019)
//   LayerNorm(x) = w ⊙ (x − mean(x)) / sqrt(var(x) + eps) + b   (Ba et al., 2016)
//
// Means are summed in double precision. The variance is mean((x − mean(x))²).
#pragma once

#include <cstdint>

namespace tome {

struct RmsNormArgs {
  const float* x = nullptr;       // [rows, width]
  const float* weight = nullptr;  // [groups, width]
  float* y = nullptr;             // [rows, width]; may be x
  int64_t rows = 0;
  int64_t width = 0;
  // Row r uses weight r mod groups. With more than one group, each row is one of `groups` parts of
  // a longer row, and each part is normalized by itself.
  int64_t groups = 1;
  float eps = 0;
};

struct LayerNormArgs {
  const float* x = nullptr;         // [rows, width]
  const float* residual = nullptr;  // [rows, width], added to x first; null: none
  const float* weight = nullptr;    // [width]
  const float* bias = nullptr;      // [width]; null: none
  float* y = nullptr;               // [rows, width]; may be x or residual
  int64_t rows = 0;
  int64_t width = 0;
  float eps = 0;
};

}  // namespace tome
