// The compressive memory of Infini-attention (Munkhdalai, Faruqui and Gopal, 2024): what attention
// within a segment does not see of the segments before it.
//
//   σ(x) = ELU(x) + 1,  positive
//   out = g · σ(q) M / (σ(q) · z) + (1 − g) · local         g a gate a head, from 0 to 1
//   M += σ(K)ᵀ V,  z += Σ σ(k)                             behind each segment (linear)
//   M += σ(K)ᵀ (V − σ(K) M / (σ(K) · z)),  z likewise        … with the delta rule
//
// Queries and keys are those without position embedding: the memory is asked by content. All tokens
// of a segment see the memory of the segments before it, so nothing of the segment itself. Query
// head h uses the memory of key head h / (H / G), as in grouped-query attention.
//
// The sums of a segment are taken up token by token, beside the memory that its tokens see, and
// added to that behind its last token; so no key has to be kept, and a token's result is the same,
// bit for bit, however its sequence was cut into passes, and on any number of threads.
// Denominators are held at `eps` at least: before the first segment ends M and z are zero, and what
// the memory says is zero. Everything is float.
#pragma once

#include <cstdint>
#include <span>

namespace tome {

// A memory's columns are kept in strips of this many.
inline constexpr int64_t kCompressiveStrip = 64;

// --- Layout of a layer's state -------------------------------------------------------------------
// The same for every kernel set. Key heads follow each other, each with
//   M, z, ΔM, Δz     matrices [strips][head size][kCompressiveStrip], vectors [head size]
// where strips = ⌈head size / kCompressiveStrip⌉ and vectors are padded to kCompressiveStrip
// floats; Δ is of the unfinished segment. Padding is zero; all zero is the state before the first
// token.
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
  const float* local = nullptr;  // [tokens, H, head size], of attention within the segment
  float* out = nullptr;          // [tokens, H, head size]; may be `local`
  const float* state = nullptr;  // before them: [G, CompressiveHeadFloats]
  float* next = nullptr;         // behind them, likewise; must not overlap `state`
  int64_t tokens = 0;
  bool ends_segment = false;  // the last token is a segment's last
};

struct CompressiveArgs {
  std::span<const CompressiveSequence> sequences;
  int64_t heads = 0;             // H, a multiple of kv_heads
  int64_t kv_heads = 0;          // G
  int64_t head_size = 0;         // at most kMaxHeadSize (attention.h)
  std::span<const float> gates;  // [H] g
  bool delta = false;
  float eps = 0;
};

}  // namespace tome
