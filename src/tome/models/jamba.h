// Jamba (Lieber et al., 2024) and Jamba-1.5 have layers of attention among layers of Mamba, each
// with a feed-forward network or a mixture of experts. There is no position embedding, since
// Mamba's layers know the order.
#pragma once

#include "tome/models/architecture.h"

namespace tome {

Architecture JambaArchitecture();

}  // namespace tome
