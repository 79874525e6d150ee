// A DecoderConfig holds the settings of a dense decoder. It is read from either container: GGUF's
// keys ("llama.block_count") or config.json ("num_hidden_layers").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/formats/checkpoint.h"
#include "tome/kernels/attention.h"
#include "tome/kernels/rope.h"
#include "tome/memory/position_scheme.h"

namespace tome {

enum class RopeScalingType {
  kNone,
  kLinear,      // positions divided by `factor`
  kDynamicNtk,  // a larger base where the sequence outgrows `original_context`
  kYarn,        // Peng et al., 2023
  kLlama3,      // low frequencies divided by `factor`, with a smooth transition
  kLongRope,    // Ding et al., 2024: a factor per frequency, other ones for long sequences
};

// Returns the name that the containers use: "none", "linear", "dynamic", "yarn", "llama3",
// "longrope".
std::string_view NameOf(RopeScalingType type);

// A RopeConfig holds the settings of rotary position embedding: ω_i = base^(−2i / dimensions),
// scaled as `type` says.
struct RopeConfig {
  double base = 10000;
  int64_t dimensions = 0;  // rotated channels of a head; even
  RopeScalingType type = RopeScalingType::kNone;
  double factor = 1;
  int64_t original_context = 0;  // tokens that the model was first trained on
  double attention_factor = 0;   // multiplies cos and sin; 0: by the formula of `type`
  double beta_fast = 32;         // YaRN
  double beta_slow = 1;          // YaRN
  bool truncate = true;         // YaRN: whether the correction range is rounded to whole dimensions
  double low_freq_factor = 1;   // Llama 3
  double high_freq_factor = 4;  // Llama 3
  // Divisors of the frequencies, [dimensions / 2] each, or empty. The first two are LongRoPE's
  // lists for short and for long sequences. `divisors` is GGUF's rope_freqs, which holds Llama 3's
  // scaling ready-made.
  std::vector<double> short_factors;
  std::vector<double> long_factors;
  std::vector<double> divisors;
};

struct DecoderConfig {
  int64_t vocabulary = 0;  // V
  int64_t width = 0;       // d
  int64_t layers = 0;      // L
  int64_t heads = 0;       // H
  int64_t kv_heads = 0;    // G; H is a multiple of G
  int64_t head_size = 0;   // D; H·D need not be d
  int64_t ffn_width = 0;   // F
  int64_t context = 0;     // tokens, scaling included
  float norm_eps = 0;
  RopeConfig rope;
  std::optional<ChunkedPositions> chunks;  // Dual Chunk Attention, used to reach `context`
  int64_t window = 0;                      // sliding window in tokens; 0: no window
  std::vector<bool> layer_slides;          // [L], whether a layer has the window
  double query_scale = 0;                  // scores are q · k · query_scale
  float attention_soft_cap = 0;            // Gemma 2; 0: no cap
  float logit_soft_cap = 0;                // Gemma 2; 0: no cap
  bool attention_bias = false;  // whether Q, K, V (and in HF's Llama the output) have biases

  bool Slides(int64_t layer) const {
    return window > 0 && layer_slides[static_cast<size_t>(layer)];
  }
};

// Reads and validates the settings: every size is checked to be in a sane range before anything is
// derived from it. `architecture` is GGUF's name, the prefix of its keys. Throws Error(kCorrupt)
// with the key, and Error(kUnsupported) for settings that Tome does not run.
DecoderConfig ReadDecoderConfig(const Checkpoint& checkpoint, const std::string& architecture);

}  // namespace tome
