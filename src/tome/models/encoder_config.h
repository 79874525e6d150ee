// An EncoderConfig holds the settings of BERT and its kin. It is read from either container: GGUF's
// keys ("bert.block_count") or config.json ("num_hidden_layers").
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tome/formats/checkpoint.h"
#include "tome/kernels/activation.h"
#include "tome/kernels/pooling.h"
#include "tome/models/architecture.h"
#include "tome/models/encoder.h"
#include "tome/models/gguf_keys.h"
#include "tome/models/hf_config.h"
#include "tome/models/weights.h"

namespace tome {

struct EncoderConfig {
  int64_t vocabulary = 0;  // V
  int64_t width = 0;       // d
  int64_t layers = 0;      // L
  int64_t heads = 0;       // H; d is a multiple of H
  int64_t ffn_width = 0;   // F
  int64_t positions = 0;   // tokens of a sequence at most
  int64_t token_types = 0;
  float norm_eps = 0;
  Activation activation = Activation::kGelu;
  std::optional<Pooling> pooling;  // as GGUF's pooling_type says

  int64_t head_size() const { return width / heads; }
};

// Checks that every size is in a sane range, before anything is derived from it. Throws
// Error(kCorrupt) with the setting.
void CheckEncoderConfig(const EncoderConfig& config);

// Reads the settings that all encoders have. `positions` is what the container says
// (context_length, max_position_embeddings). They are not yet checked.
EncoderConfig ReadGgufEncoder(const Checkpoint& checkpoint, const GgufKeys& keys);
EncoderConfig ReadHfEncoder(const HfConfig& hf);

// Returns the facts of an encoder whose weights have been bound.
EncoderFacts EncoderFactsOf(const EncoderConfig& config, const Architecture& architecture,
                            const Weights& weights);

}  // namespace tome
