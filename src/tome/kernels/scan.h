// Recurrences of state-space models: a state that decays by a factor of the token's own choice and
// takes the token in.
//
// Mamba (Gu and Dao, 2023) has a decay for every channel c and state n:
//
//   Δ = softplus(dt[t, c])
//   h[n, c] = exp(Δ · a[n, c]) · h[n, c] + Δ · x[t, c] · b[t, n]
//   y[t, c] = (Σ_n h[n, c] · c[t, n] + d[c] · x[t, c]) · silu(z[t, c])
//
// Mamba-2 (Dao and Gu, 2024) has one for every head, so that a state is a matrix [n, p]:
//
//   Δ = min(max(softplus(dt[t, head] + dt_bias[head]), least), most)
//   h[n, p] = exp(Δ · a[head]) · h[n, p] + Δ · x[t, head, p] · b[t, group, n]
//   y[t, head, p] = (Σ_n h[n, p] · c[t, group, n] + d[head, p] · x[t, head, p]) · silu(z[t, head,
//   p])
//
// Both are computed as written, token after token, with as much of the state as fits in registers
// and channels side by side; threads share sequences and channels, never time. The other form of
// Mamba-2, products of matrices within a chunk of tokens, needs nearly as many operations where
// these are in F32 (with 64 tokens a chunk, 64 channels and 128 states: 20 thousand multiply-adds
// a token and head, against 24), and its sums would depend on where chunks begin. Here a token's
// result does not depend, by a bit, on how a sequence is cut into calls nor on the number of
// threads.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace tome {

// New tokens of one sequence.
struct ScanSequence {
  int64_t tokens = 0;            // at least 1
  const float* state = nullptr;  // h before the first token
  float* next_state = nullptr;   // h behind the last; may be `state`
};

struct SelectiveScanArgs {
  std::span<const ScanSequence> sequences;  // states [states, channels]
  const float* x = nullptr;                 // [T, channels], sequence after sequence
  const float* dt = nullptr;                // [T, channels]
  const float* a = nullptr;                 // [states, channels], not positive
  const float* b = nullptr;                 // [T, states]
  const float* c = nullptr;                 // [T, states]
  const float* d = nullptr;                 // [channels]
  const float* z = nullptr;                 // [T, channels], or none: y is not multiplied
  float* y = nullptr;                       // [T, channels]; may be x, dt or z
  int64_t channels = 0;
  int64_t states = 0;
};

struct HeadScanArgs {
  std::span<const ScanSequence> sequences;  // states [heads, states, head_size]
  const float* x = nullptr;                 // [T, heads, head_size], rows x_stride apart
  const float* b = nullptr;                 // [T, groups, states], rows bc_stride apart
  const float* c = nullptr;                 // [T, groups, states], rows bc_stride apart
  int64_t x_stride = 0;
  int64_t bc_stride = 0;
  const float* dt = nullptr;       // [T, heads]
  const float* dt_bias = nullptr;  // [heads]
  float least = 0;                 // of Δ
  float most = std::numeric_limits<float>::infinity();
  const float* a = nullptr;  // [heads], not positive
  const float* d = nullptr;  // [heads, head_size]
  const float* z = nullptr;  // [T, heads, head_size], or none: y is not multiplied
  float* y = nullptr;        // [T, heads, head_size]; may be z
  int64_t heads = 0;
  int64_t head_size = 0;
  int64_t states = 0;
  int64_t groups = 0;  // heads is a multiple; those of a group follow each other
};

}  // namespace tome
