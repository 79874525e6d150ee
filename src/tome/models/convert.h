// Models from one container or element type to another.
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

// The gates that a dense model begins with: sigmoid(−4) gives the memory, which it has not learned
// to use yet, a share of under 2 %, and leaves a slope to learn by.
inline constexpr float kFirstGate = -4;

struct ConvertOptions {
  std::optional<DType> type;  // of matrices; nothing: as they are
  // Gates for Infini-attention, to be fine-tuned: the new model has these settings and kFirstGate
  // in every head. From and to a folder of safetensors, of an architecture that has such a form.
  std::optional<InfiniConfig> infini = {};
  WorkControl control;  // "converting", bytes of tensors
};

struct Converted {
  int64_t tensors = 0;
  uint64_t bytes = 0;              // of the new model's tensors
  std::vector<std::string> notes;  // tensors that kept another type than asked for, and why
};

// Writes `in` to `out`: a GGUF file where its name ends in ".gguf", else a folder with config.json,
// the tokenizer's files and model.safetensors. Between the containers tensors are renamed and
// re-ordered as the architecture says. Matrices get `type` where their rows fill whole blocks;
// vectors, which cost nothing, become F32; the embedding and the output head get at least 6 bits
// with the K types, since all that a model says passes through them.
//
// The new model appears whole or not at all. Error(kUnsupported) for what the target cannot hold
// (block-quantized types in safetensors, an architecture or a tokenizer that has no GGUF form), and
// for gates that cannot be added.
Converted ConvertModel(const Checkpoint& in, const std::filesystem::path& out,
                       const ConvertOptions& options);

}  // namespace tome
