// An Architecture says what its checkpoints are called, how their tensors are named in the two
// containers, and how a model of it is loaded. registry.h lists the architectures.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tome/formats/checkpoint.h"
#include "tome/models/encoder.h"
#include "tome/models/model.h"

namespace tome {

// A TensorTransform says how a tensor's values differ between a Hugging Face checkpoint and a GGUF
// file.
enum class TensorTransform {
  kNone,  // the values are the same in both
  // The rows of each head are re-ordered so that half-split RoPE becomes interleaved (architecture
  // `llama` only). Of a head's R rows, GGUF row 2j is HF row j,
  // and GGUF row 2j + 1 is HF row j + R/2.
  kInterleaveQueryRows,
  kInterleaveKeyRows,
  kPlusOne,      // GGUF holds 1 + w (Gemma's norms)
  kNegativeExp,  // GGUF holds −exp(w) (decays of state-space models)
};

// A TensorName is the name of one tensor in both containers. "{}" stands for the layer's number.
// "{e}" stands for an expert's number where HF has a tensor for each expert and GGUF has one tensor
// for all. Where HF has had several names for a tensor, each has a row, and the one that the
// checkpoint holds counts.
struct TensorName {
  std::string_view gguf;  // "blk.{}.attn_q.weight"
  std::string_view hf;    // "model.layers.{}.self_attn.q_proj.weight"
  TensorTransform transform = TensorTransform::kNone;
};

// An architecture is a Model or an Encoder: one of `load` and `load_encoder` is set.
struct Architecture {
  std::string_view name;  // GGUF's general.architecture
  std::string_view hf_model_type;
  std::string_view hf_class;  // "LlamaForCausalLM"
  std::span<const TensorName> tensors;
  std::unique_ptr<Model> (*load)(std::shared_ptr<const Checkpoint> checkpoint,
                                 const Compute& compute) = nullptr;
  // A key that config.json must have, where model_type alone does not tell. Empty: no such key.
  std::string_view hf_key = {};
  bool has_gguf = true;  // whether GGUF files of this architecture exist
  std::unique_ptr<Encoder> (*load_encoder)(std::shared_ptr<const Checkpoint> checkpoint,
                                           EncoderWeights weights,
                                           const Compute& compute) = nullptr;
  // What HF names of tensors may begin with: a model that was saved as a part of another one, as
  // BertForMaskedLM has "bert.".
  std::string_view hf_prefix = {};
};

// Returns `pattern` with "{}" replaced by `layer`.
std::string LayerName(std::string_view pattern, int64_t layer);

}  // namespace tome
