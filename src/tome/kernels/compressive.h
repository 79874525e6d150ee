// The compressive memory of Infini-attention (Munkhdalai, Faruqui and Gopal, 2024). Attention sees
// only its own segment; the memory stands for all segments before it.
//
//   σ(x) = ELU(x) + 1                                      positive
//   out = g · σ(q) M / (σ(q) · z) + (1 − g) · local        g: a gate a head, from 0 to 1
//
// M and z change after each segment, by the linear rule or by the delta rule:
//
//   M += σ(K)ᵀ V,                              z += Σ σ(k)     linear
//   M += σ(K)ᵀ (V − σ(K) M / (σ(K) · z)),      z += Σ σ(k)     delta
//
// Queries and keys have no position embedding, because the memory is read by content. All tokens of
// a segment see the memory of the segments before it, and so no part of their own segment. Query
// head h uses the memory of key head h / (H / G), as in grouped-query attention.
//
// The sums of a segment grow token by token beside the memory that its tokens see. They are added
// to that memory after the segment's last token. So no key has to be kept, and a token's result is
// the same, bit for bit, however its sequence is cut into passes, and on any number of threads.
// Denominators are at least `eps`: before the first segment ends, M and z are zero, and so is the
// memory's share of the output. All arithmetic is float.
#pragma once

#include <cstdint>
#include <span>

namespace tome {

// Columns of one strip; a memory's columns are kept in strips.
inline constexpr int64_t kCompressiveStrip = 64;

// --- Layout of a layer's state -------------------------------------------------------------------
// The layout is the same for every kernel set. Key heads follow each other, each with M, z, ΔM, Δz
// in this order, where Δ marks the sums of the unfinished segment:
//
//   M, ΔM     [strips][head size][kCompressiveStrip],  strips = ⌈head size / kCompressiveStrip⌉
//   z, Δz     [head size], padded to whole strips
//
// Padding is zero. The state before the first token is all zero.
constexpr int64_t CompressiveStrips(int64_t head_size) {
  return (head_size + kCompressiveStrip - 1) / kCompressiveStrip;
}
constexpr int64_t CompressiveMatrixFloats(int64_t head_size) {
  return CompressiveStrips(head_size) * head_size * kCompressiveStrip;
}
constexpr int64_t CompressiveVectorFloats(int64_t head_size) {
  return CompressiveStrips(head_size) * kCompressiveStrip;
}
// Floats of one key head.
constexpr int64_t CompressiveHeadFloats(int64_t head_size) {
  return 2 * (CompressiveMatrixFloats(head_size) + CompressiveVectorFloats(head_size));
}
// -------------------------------------------------------------------------------------------------

// New tokens of one sequence, all of one segment.
struct CompressiveSequence {
  const float* q = nullptr;      // [tokens, H, head size]
  const float* k = nullptr;      // [tokens, G, head size]
  const float* v = nullptr;      // [tokens, G, head size]
  const float* local = nullptr;  // [tokens, H, head size], output of attention within the segment
  float* out = nullptr;          // [tokens, H, head size]; may be `local`
  const float* state = nullptr;  // before the tokens: [G, CompressiveHeadFloats]
  float* next = nullptr;         // after the tokens, same shape; must not overlap `state`
  int64_t tokens = 0;
  bool ends_segment = false;  // the last token is the last of its segment
};

struct CompressiveArgs {
  std::span<const CompressiveSequence> sequences;
  int64_t heads = 0;             // H, a multiple of kv_heads
  int64_t kv_heads = 0;          // G
  int64_t head_size = 0;         // at most kMaxHeadSize (attention.h)
  std::span<const float> gates;  // [H] g
  bool delta = false;            // the delta rule instead of the linear rule
  float eps = 0;
};

}  // namespace tome
