// The attention mass is the share of their attention that new tokens give to spans of the text.
//
//   mass[i, j] = Σ_t Σ_{s in span j} softmax_s( cap(scale · q[t, h_i] · k[s, g_i]) )
//
// h_i are the chosen heads, and g_i = h_i / (H / G). The softmax is over all positions that the
// token sees, as in kernels/attention.h. Some heads attend from a question to the place that
// answers it (retrieval heads: Wu et al., arXiv 2404.15574; Zhang et al., arXiv 2506.09944), and
// the mass measures this. It is computed for few tokens and few heads, off every hot path, so one
// definition in float serves all kernel sets. It allocates its own scratch.
#pragma once

#include <cstdint>
#include <span>

#include "tome/base/thread_pool.h"
#include "tome/kernels/attention.h"

namespace tome {

// Positions [begin, end).
struct PositionSpan {
  int64_t begin = 0;
  int64_t end = 0;
};

struct AttentionMassArgs {
  const AttentionSequence& sequence;    // `chosen` and `out` are ignored
  const AttentionArgs& shape;           // gives heads, sizes, scale, soft cap, window and type
  int64_t first_token = 0;              // tokens before it are not counted
  std::span<const int64_t> heads;       // h_i
  std::span<const PositionSpan> spans;  // ascending and disjoint
  double* mass = nullptr;               // [heads, spans]; the result is added to it
};

// Adds the mass of each head and span to `args.mass`. The cost is heads · tokens · positions · head
// size.
void AddAttentionMass(const AttentionMassArgs& args, ThreadPool& threads);

}  // namespace tome
