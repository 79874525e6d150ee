// An AttentionTap records which spans of the preceding text the new tokens of an item attend to in
// a forward pass, in the heads that it names (kernels/attention_mass.h).
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "tome/kernels/attention_mass.h"

namespace tome {

struct AttentionHead {
  int64_t layer = 0;  // counted among attention layers; recurrent ones are left out
  int64_t head = 0;

  friend auto operator<=>(const AttentionHead&, const AttentionHead&) = default;
};

// Model::Forward fills the tap of every item that points to one; the masses of several passes add
// up. Nothing is added where a memory does not attend to every token (sparse attention, a streaming
// window) or forgets at the end of segments, nor by recurrent layers. A mass of zero everywhere
// says so.
struct AttentionTap {
  std::vector<AttentionHead> heads;
  std::vector<PositionSpan> spans;  // of token positions; ascending and disjoint
  int64_t first_position = 0;       // tokens before it are not counted
  std::vector<double> mass;         // [heads, spans]; Forward makes it where it is empty

  double At(size_t head, size_t span) const {
    return mass.empty() ? 0 : mass[head * spans.size() + span];
  }
};

}  // namespace tome
