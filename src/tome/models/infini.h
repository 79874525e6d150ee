// Infini-attention (Munkhdalai, Faruqui and Gopal, 2024) works in any model of the Llama family. It
// has exact attention within segments, a compressive memory (kernels/compressive.h) of all earlier
// segments, and a gate in each head between the two. A text of any length is read in a memory of
// constant size.
//
// A checkpoint is that of the dense model with a vector of gates in each layer and other settings.
// docs/models.md describes the gates and the settings, and ConvertModel (convert.h) makes such a
// checkpoint.
#pragma once

#include <cstdint>
#include <string_view>

#include "tome/models/architecture.h"

namespace tome {

Architecture InfiniLlamaArchitecture();  // for Llama and Mistral
Architecture InfiniQwen2Architecture();
Architecture InfiniQwen3Architecture();

// The Hugging Face name of a layer's gates β, [H]. The share of the memory in a head's output is
// sigmoid(β).
inline constexpr std::string_view kInfiniGate = "model.layers.{}.self_attn.gate";

inline constexpr int64_t kMaxInfiniSegment = int64_t{1} << 20;

// An InfiniConfig is the object "infini" of config.json, with its defaults.
struct InfiniConfig {
  int64_t segment = 2048;  // "segment_length"; tokens
  bool delta = false;      // "update" is "delta", not "linear"
  float eps = 1e-6F;       // "eps": least denominator
};

// Returns the architecture that a dense one becomes with gates; null where it cannot have them.
const Architecture* InfiniFormOf(const Architecture& dense);

}  // namespace tome
