// RetNet (Sun et al., 2023): retention (kernels/retention.h) in place of attention, so that what is
// remembered has a constant size.
//
// Two implementations of it have checkpoints, which differ in names and in the details that
// retnet.cc lists: torchscale, the authors' own, and flash-linear-attention. Both call themselves
// "retnet" in config.json.
#pragma once

#include "tome/models/architecture.h"

namespace tome {

Architecture TorchscaleRetNetArchitecture();  // config.json has "decoder_embed_dim"
Architecture FlaRetNetArchitecture();         // … has "hidden_size"

}  // namespace tome
