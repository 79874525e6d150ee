// FillWithSyntheticTokens fills a memory as if tokens had been read, for measurements: how fast a
// model runs does not depend on what its memory holds, and reading takes minutes.
#pragma once

#include <cstdint>

#include "tome/memory/memory.h"

namespace tome {

// Lets an empty memory, exact and without limit, remember `tokens` tokens that nobody read: small
// keys and values drawn at random, the same ones on every page, and states of zero. All of them are
// written, so that they lie in memory of their own. Throws Error(kOutOfMemory).
void FillWithSyntheticTokens(Memory& memory, int64_t tokens);

}  // namespace tome
