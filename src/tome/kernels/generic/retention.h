// The other two forms of retention (retention.h), as definitions: tests hold the chunkwise form
// against them.
#pragma once

#include "tome/kernels/retention.h"

namespace tome::generic {

// Of a sequence from its first token: `state`, `next` and `first_position` are not looked at.
void ParallelRetention(const RetentionArgs& args) noexcept;

// Token by token. State and next are [H, key size, value size] here, S alone.
void RecurrentRetention(const RetentionArgs& args) noexcept;

}  // namespace tome::generic
