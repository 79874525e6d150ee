// Gemma 2 (Gemma Team, 2024) has norms before and after each block, a sliding window in every other
// layer, soft caps on scores and logits, GeGLU, and an embedding scaled by √d.
#pragma once

#include "tome/models/architecture.h"

namespace tome {

Architecture Gemma2Architecture();

}  // namespace tome
