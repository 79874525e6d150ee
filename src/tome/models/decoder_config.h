// The settings of a dense decoder, read from either container: GGUF's keys ("llama.block_count") or
// config.json ("num_hidden_layers").
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
  kLongRope,    // Ding et al., 2024: a factor a frequency, for short and for long sequences
};

// As the containers have it: "none", "linear", "dynamic", "yarn", "llama3", "longrope".
std::string_view NameOf(RopeScalingType type);

// Rotary position embedding: ω_i = base^(−2i / dimensions), scaled by `type`.
struct RopeConfig {
  double base = 10000;
  int64_t dimensions = 0;  // channels of a head that turn; even
  RopeScalingType type = RopeScalingType::kNone;
  double factor = 1;
  int64_t original_context = 0;  // tokens that the model was first trained on
  double attention_factor = 0;   // multiplies cos and sin; 0: by the formula of `type`
  double beta_fast = 32;         // YaRN
  double beta_slow = 1;
  bool truncate = true;        // YaRN: correction range rounded to whole dimensions
  double low_freq_factor = 1;  // Llama 3
  double high_freq_factor = 4;
  // [dimensions / 2] divisors of the frequencies: LongRoPE's two lists; GGUF's rope_freqs, which
  // holds Llama 3's scaling ready-made, is in `divisors`.
  std::vector<double> short_factors;
  std::vector<double> long_factors;
  std::vector<double> divisors;
};

struct DecoderConfig {
  int64_t vocabulary = 0;  // V
  int64_t width = 0;       // d
  int64_t layers = 0;      // L
  int64_t heads = 0;       // H
  int64_t kv_heads = 0;    // G; H is a multiple
  int64_t head_size = 0;   // D; H·D need not be d
  int64_t ffn_width = 0;   // F
  int64_t context = 0;     // tokens, scaling included
  float norm_eps = 0;
  RopeConfig rope;
  std::optional<ChunkedPositions> chunks;  // Dual Chunk Attention, which makes it reach `context`
  int64_t window = 0;                      // sliding window in tokens; 0: none
  std::vector<bool> layer_slides;          // [L], which layers have the window
  double query_scale = 0;                  // scores are q · k · query_scale
  float attention_soft_cap = 0;            // 0: none (Gemma 2)
  float logit_soft_cap = 0;
  bool attention_bias = false;  // Q, K, V (and in HF's Llama the output) have biases

  bool Slides(int64_t layer) const {
    return window > 0 && layer_slides[static_cast<size_t>(layer)];
  }
};

// Reads and validates: every size in a sane range before anything is derived from it.
// Error(kCorrupt) names the key. `architecture` is GGUF's name, the prefix of its keys.
DecoderConfig ReadDecoderConfig(const Checkpoint& checkpoint, const std::string& architecture);

}  // namespace tome
