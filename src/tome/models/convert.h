// ConvertModel writes a model in another container or element type.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tome/base/progress.h"
#include "tome/formats/checkpoint.h"
#include "tome/models/infini.h"
#include "tome/tensor/dtype.h"

namespace tome {

// The gate of every head in a model that gets Infini-attention. sigmoid(−4) gives the memory a
// share of under 2 %, since the model has not learned to use it yet, and leaves a slope to learn
// by.
inline constexpr float kFirstGate = -4;

struct ConvertOptions {
  std::optional<DType> type;  // of matrices; empty: unchanged
  // Infini-attention to be fine-tuned: the new model has these settings, and kFirstGate in every
  // head. Both models are folders of safetensors, of an architecture that has such a form
  // (InfiniFormOf).
  std::optional<InfiniConfig> infini = {};
  WorkControl control;  // reports "converting", in bytes of tensors
};

struct Converted {
  int64_t tensors = 0;
  uint64_t bytes = 0;  // of the new model's tensors
  // Sentences to the user, for example about tensors left out or kept in another type.
  std::vector<std::string> notes;
};

// Writes `in` to `out`: a GGUF file where the name of `out` ends in ".gguf", else a folder with
// config.json, the tokenizer's files and model.safetensors (or its shards). Between the containers,
// tensors are renamed and re-ordered by the architecture's table.
//
// With options.type, matrices get this type where their rows fill whole blocks, and vectors, which
// cost nothing, become F32. With the K types the embedding and the output head get at least 6 bits,
// since all that a model says passes through them. Without options.type, types stay as they are,
// except that the vectors of a GGUF file made from safetensors become F32.
//
// The new model appears whole or not at all. Throws Error(kUnsupported) where the target cannot
// hold the model (block-quantized types in safetensors, an architecture that has no GGUF form), and
// where gates cannot be added.
Converted ConvertModel(const Checkpoint& in, const std::filesystem::path& out,
                       const ConvertOptions& options);

}  // namespace tome
