// Infini-attention (Munkhdalai, Faruqui and Gopal, 2024) in any model of the Llama family: exact
// attention within segments, a compressive memory (kernels/compressive.h) of all segments before,
// and a gate for each head between the two. A text of any length is read in a memory of constant
// size.
//
// A checkpoint is that of the dense model with a vector of gates in each layer and other settings;
// docs/models.md describes both, and convert.h makes one.
#pragma once

#include <cstdint>
#include <string_view>

#include "tome/models/architecture.h"

namespace tome {

Architecture InfiniLlamaArchitecture();  // of Llama and Mistral
Architecture InfiniQwen2Architecture();
Architecture InfiniQwen3Architecture();

// [H], β: the share of the memory in a head's output is sigmoid(β). By its Hugging Face name.
inline constexpr std::string_view kInfiniGate = "model.layers.{}.self_attn.gate";

inline constexpr int64_t kMaxInfiniSegment = int64_t{1} << 20;

// config.json's "infini", and its defaults.
struct InfiniConfig {
  int64_t segment = 2048;  // "segment_length": tokens
  bool delta = false;      // "update": "linear" or "delta"
  float eps = 1e-6F;       // "eps": least denominator
};

// The architecture that a dense one becomes with gates; null for one that cannot.
const Architecture* InfiniFormOf(const Architecture& dense);

}  // namespace tome
