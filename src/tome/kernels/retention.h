// Retention (Sun et al., 2023) is attention without a softmax, with weights that decay with the
// distance.
//
//   out[n, h] = c[n, h] Σ_{m ≤ n} γ_h^(n − m) (q[n, h] · k[m, h]) v[m, h],  0 < γ_h ≤ 1
//
// c is 1, or c[n, h] = (Σ_{i ≤ n} γ_h^i)^(−1/2) for the normalization of torchscale. The sum above
// is the "parallel" form. Two other forms give the same result. The "recurrent" form has a state:
//
//   S_n = γ S_{n−1} + k_n ⊗ v_n,   out_n = c_n q_n S_n
//
// Kernels compute the "chunkwise" form, where S is the state after the previous chunk and j the
// index within the chunk:
//
//   out_j = c (γ^(j+1) q_j S + Σ_{m ≤ j} γ^(j − m) (q_j · k_m) v_m)
//   S ← γ^B S + Σ_m γ^(B − 1 − m) k_m ⊗ v_m                           after a chunk of B tokens
//
// Chunks begin at multiples of B = kRetentionChunk, wherever a pass begins. The keys and values of
// an unfinished chunk are part of the state. So a token's result is the same, bit for bit, however
// its sequence is cut into passes, and on any number of threads.
//
// All arithmetic is float, except that powers of γ are computed in double precision from its
// logarithm. They are never computed by division, and no power that matters underflows.
#pragma once

#include <cstdint>
#include <span>

namespace tome {

// Tokens of a chunk: enough for products of matrices, and few enough that a single token, which
// copies the state, does not copy much more.
inline constexpr int64_t kRetentionChunk = 32;
// Columns of one strip. Values are kept in strips, so that a product reads one run of memory.
inline constexpr int64_t kRetentionStrip = 64;
// Largest key size; kernels keep keys on their stack.
inline constexpr int64_t kMaxRetentionKey = 512;

// --- Layout of a layer's state -------------------------------------------------------------------
// The layout is the same for every kernel set. Heads follow each other, each with
//   S       [strips][key size][kRetentionStrip]          after the last whole chunk
//   keys    [key size][kRetentionChunk]                  of the unfinished chunk
//   values  [strips][kRetentionChunk][kRetentionStrip]   of the unfinished chunk
// where strips = ⌈value size / kRetentionStrip⌉. Columns beyond the value size are zero, and so are
// tokens that were not read yet. The state before the first token is all zero.
constexpr int64_t RetentionStrips(int64_t value_size) {
  return (value_size + kRetentionStrip - 1) / kRetentionStrip;
}
constexpr int64_t RetentionKeysOffset(int64_t key_size, int64_t value_size) {
  return RetentionStrips(value_size) * key_size * kRetentionStrip;
}
constexpr int64_t RetentionValuesOffset(int64_t key_size, int64_t value_size) {
  return RetentionKeysOffset(key_size, value_size) + key_size * kRetentionChunk;
}
// Floats of one head.
constexpr int64_t RetentionHeadFloats(int64_t key_size, int64_t value_size) {
  return RetentionValuesOffset(key_size, value_size) +
         RetentionStrips(value_size) * kRetentionChunk * kRetentionStrip;
}
// -------------------------------------------------------------------------------------------------

// New tokens of one sequence.
struct RetentionSequence {
  const float* q = nullptr;      // [tokens, H, key size]
  const float* k = nullptr;      // [tokens, H, key size]
  const float* v = nullptr;      // [tokens, H, value size]
  float* out = nullptr;          // [tokens, H, value size]; may be v
  const float* state = nullptr;  // before the tokens: [H, RetentionHeadFloats]
  float* next = nullptr;         // after the tokens, same shape; must not overlap `state`
  int64_t tokens = 0;
  int64_t first_position = 0;
};

struct RetentionArgs {
  std::span<const RetentionSequence> sequences;
  int64_t heads = 0;                  // H
  int64_t key_size = 0;               // at most kMaxRetentionKey
  int64_t value_size = 0;             // any
  std::span<const double> log_decay;  // [H] ln γ, at most 0
  bool normalize = false;             // c as in torchscale instead of 1
};

// The step after retention normalizes each head by itself and gates it.
//
//   y[t, h] = silu(gate[t, h]) ⊙ w ⊙ x[t, h] / sqrt(mean(x[t, h]²) + eps)
struct RetentionGateArgs {
  const float* x = nullptr;       // [tokens, H, width]
  const float* gate = nullptr;    // [tokens, H, width]
  const float* weight = nullptr;  // [width]; null: ones
  float* y = nullptr;             // [tokens, H, width]; may be x
  int64_t tokens = 0;
  int64_t heads = 0;
  int64_t width = 0;
  float eps = 0;
};

}  // namespace tome
