// A memory as if tokens had been read, for measuring: how fast a model runs behind it does not
// depend on what is in it, and reading takes minutes.
#pragma once

#include <cstdint>

#include "tome/memory/memory.h"

namespace tome {

// Lets an empty memory, exact and without limit, remember `tokens` tokens that nobody read: small
// keys and values drawn at random, the same ones on every page, and states of zero. All is written,
// so that it lies in memory of its own. Error(kOutOfMemory).
void FillWithSyntheticTokens(Memory& memory, int64_t tokens);

}  // namespace tome
