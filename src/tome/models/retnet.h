// RetNet (Sun et al., 2023) has retention (kernels/retention.h) in place of attention, so that its
// memory has a constant size.
//
// Two implementations have checkpoints: torchscale, the authors' own, and flash-linear-attention.
// They differ in names and in the details that retnet.cc lists. Both call themselves "retnet" in
// config.json.
#pragma once

#include "tome/models/architecture.h"

namespace tome {

Architecture TorchscaleRetNetArchitecture();  // config.json has "decoder_embed_dim"
Architecture FlaRetNetArchitecture();         // config.json has "hidden_size"

}  // namespace tome
