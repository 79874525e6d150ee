// The settings of Mamba and Mamba-2, read from either container: GGUF's keys
// ("mamba.ssm.inner_size"), config.json as transformers writes it ("state_size"), or as the models'
// authors do ("d_model", "ssm_cfg").
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
  int64_t context = kAnyLength;  // nothing in such a model ends anywhere
  float norm_eps = 0;
  MambaSizes mamba;       // rank: of Mamba alone
  int64_t heads = 0;      // of Mamba-2, as all that follows
  int64_t head_size = 0;  // heads · head_size = inner
  int64_t groups = 1;     // heads is a multiple
  float least_step = 0;   // of Δ
  float most_step = std::numeric_limits<float>::infinity();
  bool step_norms = false;  // Falcon-Mamba: dt, b and c are normalized, without weights
};

// Read and checked: every size in a sane range before anything is derived from it.
// Error(kCorrupt) names the key; Error(kUnsupported) for settings that Tome does not run.
StateSpaceConfig ReadMambaConfig(const Checkpoint& checkpoint);
StateSpaceConfig ReadMamba2Config(const Checkpoint& checkpoint);

}  // namespace tome
