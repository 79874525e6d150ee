// Mamba (Gu and Dao, 2023) and Mamba-2 (Dao and Gu, 2024). MambaArchitecture also reads
// Falcon-Mamba, from GGUF files.
#pragma once

#include "tome/models/architecture.h"

namespace tome {

Architecture MambaArchitecture();
Architecture Mamba2Architecture();

}  // namespace tome
