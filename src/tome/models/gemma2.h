// Gemma 2: norms before and after each block, every other layer with a sliding window, scores and
// logits softly capped, GeGLU, an embedding scaled by √d (Gemma Team, 2024).
#pragma once

#include "tome/models/architecture.h"

namespace tome {

Architecture Gemma2Architecture();

}  // namespace tome
