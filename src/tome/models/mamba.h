// Mamba (Gu and Dao, 2023) and, in GGUF files, Falcon-Mamba; Mamba-2 (Dao and Gu, 2024).
#pragma once

#include "tome/models/architecture.h"

namespace tome {

Architecture MambaArchitecture();
Architecture Mamba2Architecture();

}  // namespace tome
