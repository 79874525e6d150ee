// Phi-3 and Phi-4: a Llama with Q, K, V in one matrix and gate and up in another, LongRoPE for the
// long variants, RoPE on part of each head in some (Abdin et al., 2024).
#pragma once

#include "tome/models/architecture.h"

namespace tome {

Architecture Phi3Architecture();

}  // namespace tome
