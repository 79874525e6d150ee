// Recurrences of state-space models. Each token chooses the factor by which the state decays, and
// is then added to the state.
//
// Mamba (Gu and Dao, 2023) has a decay for every channel c and state n:
//
//   Δ = softplus(dt[t, c])
//   h[n, c] = exp(Δ · a[n, c]) · h[n, c] + Δ · x[t, c] · b[t, n]
//   y[t, c] = (Σ_n h[n, c] · c[t, n] + d[c] · x[t, c]) · silu(z[t, c])
//
// Mamba-2 (Dao and Gu, 2024) has a decay for every head, so that a head's state is a matrix [n, p]:
//
//   Δ = min(max(softplus(dt[t, head] + dt_bias[head]), least), most)
//   h[n, p] = exp(Δ · a[head]) · h[n, p] + Δ · x[t, head, p] · b[t, group, n]
//   y[t, head, p] =
//       (Σ_n h[n, p] · c[t, group, n] + d[head, p] · x[t, head, p]) · silu(z[t, head, p])
//
// Kernels compute both recurrences as written, token after token. In the fast sets channels fill
// the lanes of vectors, and as much of the state as fits stays in registers. Sequences and channels
// are divided among threads; time never is.
//
// Mamba-2 also has a form with products of matrices within chunks of tokens. In F32 it needs nearly
// as many operations: with 64 tokens a chunk, 64 channels and 128 states, 20 thousand multiply-adds
// a token and head instead of 24 thousand. Its sums would also depend on where chunks begin. In the
// form used here, a token's result is the same, bit for bit, however a sequence is cut into calls,
// and on any number of threads.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace tome {

// New tokens of one sequence.
struct ScanSequence {
  int64_t tokens = 0;            // at least 1
  const float* state = nullptr;  // h before the first token
  float* next_state = nullptr;   // h after the last token; may be `state`
};

struct SelectiveScanArgs {
  std::span<const ScanSequence> sequences;  // each state is [states, channels]
  const float* x = nullptr;                 // [T, channels], sequence after sequence
  const float* dt = nullptr;                // [T, channels]
  const float* a = nullptr;                 // [states, channels], not positive
  const float* b = nullptr;                 // [T, states]
  const float* c = nullptr;                 // [T, states]
  const float* d = nullptr;                 // [channels]
  const float* z = nullptr;                 // [T, channels]; null: no factor silu(z)
  float* y = nullptr;                       // [T, channels]; may be x, dt or z
  int64_t channels = 0;
  int64_t states = 0;
};

struct HeadScanArgs {
  std::span<const ScanSequence> sequences;  // each state is [heads, states, head_size]
  const float* x = nullptr;                 // [T, heads, head_size], rows x_stride apart
  const float* b = nullptr;                 // [T, groups, states], rows bc_stride apart
  const float* c = nullptr;                 // [T, groups, states], rows bc_stride apart
  int64_t x_stride = 0;
  int64_t bc_stride = 0;
  const float* dt = nullptr;                            // [T, heads]
  const float* dt_bias = nullptr;                       // [heads]
  float least = 0;                                      // lower bound of Δ
  float most = std::numeric_limits<float>::infinity();  // upper bound of Δ
  const float* a = nullptr;                             // [heads], not positive
  const float* d = nullptr;                             // [heads, head_size]
  const float* z = nullptr;  // [T, heads, head_size]; null: no factor silu(z)
  float* y = nullptr;        // [T, heads, head_size]; may be z
  int64_t heads = 0;
  int64_t head_size = 0;
  int64_t states = 0;
  int64_t groups = 0;  // divides `heads`; the heads of a group are consecutive
};

}  // namespace tome
