// Definitions of the parallel and the recurrent form of retention (retention.h). Tests compare the
// chunkwise form with them.
#pragma once

#include "tome/kernels/retention.h"

namespace tome::generic {

// Computes whole sequences. `state`, `next` and `first_position` are ignored.
void ParallelRetention(const RetentionArgs& args) noexcept;

// Computes token by token. Here `state` and `next` are S alone, [H, key size, value size].
void RecurrentRetention(const RetentionArgs& args) noexcept;

}  // namespace tome::generic
