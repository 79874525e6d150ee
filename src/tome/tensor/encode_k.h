// The encoders of the K types turn 256 values into one block.
#pragma once

#include <span>

#include "tome/tensor/blocks.h"

namespace tome {

using KBlockSpan = std::span<const float, kKBlockValues>;

// The values must be finite and within the range of F16; EncodeRow checks this.
BlockQ4_K EncodeQ4_K(KBlockSpan x);
BlockQ5_K EncodeQ5_K(KBlockSpan x);
BlockQ6_K EncodeQ6_K(KBlockSpan x);

}  // namespace tome
