// Phi-3 and Phi-4 (Abdin et al., 2024) are Llamas with Q, K and V in one matrix and gate and up in
// another. The long variants have LongRoPE, and some variants apply RoPE to a part of each head.
#pragma once

#include "tome/models/architecture.h"

namespace tome {

Architecture Phi3Architecture();

}  // namespace tome
