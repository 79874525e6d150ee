// What Tome must know of an architecture beyond its forward pass: how its tensors and its settings
// are named in the two containers, and how to load it. registry.h lists the architectures.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tome/formats/checkpoint.h"
#include "tome/models/model.h"

namespace tome {

// How a tensor's values differ between a Hugging Face checkpoint and a GGUF file. Everything else
// is the same bytes.
enum class TensorTransform {
  kNone,
  // Rows of each head re-ordered so that half-split RoPE becomes interleaved: of a head's R rows,
  // GGUF row 2j is HF row j, GGUF row 2j+1 is HF row j + R/2 (architecture `llama` only).
  kInterleaveQueryRows,
  kInterleaveKeyRows,
  kPlusOne,      // GGUF holds 1 + w (Gemma's norms)
  kNegativeExp,  // GGUF holds −exp(w) (decays of state-space models)
};

// One tensor in both containers; "{}" stands for the layer's number, "{e}" for an expert's where HF
// has a tensor for each and GGUF all in one.
struct TensorName {
  std::string_view gguf;  // "blk.{}.attn_q.weight"
  std::string_view hf;    // "model.layers.{}.self_attn.q_proj.weight"
  TensorTransform transform = TensorTransform::kNone;
};

struct Architecture {
  std::string_view name;  // GGUF's general.architecture
  std::string_view hf_model_type;
  std::string_view hf_class;  // "LlamaForCausalLM"
  std::span<const TensorName> tensors;
  std::unique_ptr<Model> (*load)(std::shared_ptr<const Checkpoint> checkpoint,
                                 const Compute& compute);
  // A key that config.json must have, where its model_type alone does not tell; empty: none.
  std::string_view hf_key = {};
  bool has_gguf = true;  // GGUF files of it exist
};

// `pattern` with "{}" replaced by `layer`.
std::string LayerName(std::string_view pattern, int64_t layer);

}  // namespace tome
