// A StateSpaceConfig holds the settings of Mamba and Mamba-2. It is read from either container:
// GGUF's keys ("mamba.ssm.inner_size"), config.json as transformers writes it ("state_size"), or
// config.json as the models' authors write it ("d_model", "ssm_cfg").
#pragma once

#include <cstdint>
#include <limits>

#include "tome/formats/checkpoint.h"
#include "tome/models/layers/mamba_mixer.h"
#include "tome/models/model.h"

namespace tome {

struct StateSpaceConfig {
  int64_t vocabulary = 0;  // V
  int64_t width = 0;       // d
  int64_t layers = 0;
  int64_t context = kAnyLength;  // tokens; the architecture itself sets no limit
  float norm_eps = 0;
  MambaSizes mamba;       // its rank is Mamba's alone
  int64_t heads = 0;      // Mamba-2
  int64_t head_size = 0;  // Mamba-2; heads · head_size = inner
  int64_t groups = 1;     // Mamba-2; heads is a multiple of groups
  float least_step = 0;   // Mamba-2: lower limit of Δ
  float most_step = std::numeric_limits<float>::infinity();  // Mamba-2: upper limit of Δ
  bool step_norms = false;  // Falcon-Mamba: dt, b and c are normalized, without weights
};

// Read and check the settings: every size is in a sane range before anything is derived from it.
// Throw Error(kCorrupt) with the key, and Error(kUnsupported) for settings that Tome does not run.
StateSpaceConfig ReadMambaConfig(const Checkpoint& checkpoint);
StateSpaceConfig ReadMamba2Config(const Checkpoint& checkpoint);

}  // namespace tome
