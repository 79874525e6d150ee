// A tap on the attention of a forward pass: which spans of the text before them the new tokens of
// an item attend to, in the heads that are asked about (kernels/attention_mass.h).
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "tome/kernels/attention_mass.h"

namespace tome {

struct AttentionHead {
  int64_t layer = 0;  // of those that attend: recurrent ones are not counted
  int64_t head = 0;

  friend auto operator<=>(const AttentionHead&, const AttentionHead&) = default;
};

// Filled by Model::Forward for the item that points to it; passes add up. Nothing is added where a
// memory does not attend to every token (sparse attention, a streaming window) or forgets at the
// end of segments, nor by recurrent layers: a mass of zero everywhere says so.
struct AttentionTap {
  std::vector<AttentionHead> heads;
  std::vector<PositionSpan> spans;  // of token positions; ascending and disjoint
  int64_t first_position = 0;       // tokens before it are not counted
  std::vector<double> mass;         // [heads, spans]; made by Forward where it is empty

  double At(size_t head, size_t span) const {
    return mass.empty() ? 0 : mass[head * spans.size() + span];
  }
};

}  // namespace tome
