// A JambaConfig holds the settings of Jamba, read from either container.
#pragma once

#include <cstdint>
#include <vector>

#include "tome/formats/checkpoint.h"
#include "tome/models/layers/mamba_mixer.h"

namespace tome {

struct JambaConfig {
  int64_t vocabulary = 0;  // V
  int64_t width = 0;       // d
  int64_t layers = 0;
  int64_t heads = 0;         // of attention layers; a multiple of kv_heads
  int64_t kv_heads = 0;      // G
  int64_t head_size = 0;     // D
  int64_t ffn_width = 0;     // F
  int64_t context = 0;       // tokens
  int64_t experts = 0;       // of a layer with a mixture
  int64_t experts_used = 0;  // experts that a token takes
  float norm_eps = 0;
  MambaSizes mamba;
  std::vector<bool> attends;  // [layers]: attention, or else Mamba's mixer
  std::vector<bool> mixes;    // [layers]: a mixture, or else one feed-forward network
};

// Reads and checks the settings: every size is in a sane range before anything is derived from it.
// Throws Error(kCorrupt) with the key, and Error(kUnsupported) for settings that Tome does not run.
JambaConfig ReadJambaConfig(const Checkpoint& checkpoint);

}  // namespace tome
