// The settings of Jamba, read from either container.
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
  int64_t heads = 0;      // of attention; a multiple of kv_heads
  int64_t kv_heads = 0;   // G
  int64_t head_size = 0;  // D
  int64_t ffn_width = 0;  // F
  int64_t context = 0;
  int64_t experts = 0;       // of a mixture
  int64_t experts_used = 0;  // by a token
  float norm_eps = 0;
  MambaSizes mamba;
  std::vector<bool> attends;  // [layers]; the others have Mamba's mixer
  std::vector<bool> mixes;    // [layers]; the others have one feed-forward network
};

// Read and checked: every size in a sane range before anything is derived from it.
// Error(kCorrupt) names the key; Error(kUnsupported) for settings that Tome does not run.
JambaConfig ReadJambaConfig(const Checkpoint& checkpoint);

}  // namespace tome
