// LlamaLayer is the layer that Llama, Mistral, Qwen2 and Qwen3 share. This header names its tensors
// and binds them.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "tome/models/architecture.h"
#include "tome/models/decoder_config.h"
#include "tome/models/layers/feed_forward.h"
#include "tome/models/weights.h"

namespace tome {

// Returns the tensor names of all four families. Only GGUF files of `llama` have the rows of Q and
// K re-ordered.
constexpr std::array<TensorName, 18> LlamaTensors(TensorTransform query_rows,
                                                  TensorTransform key_rows) {
  return {{
      {"token_embd.weight", "model.embed_tokens.weight"},
      {"output_norm.weight", "model.norm.weight"},
      {"output.weight", "lm_head.weight"},
      {"blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight"},
      {"blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight", query_rows},
      {"blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight", key_rows},
      {"blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight"},
      {"blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight"},
      {"blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias", query_rows},
      {"blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias", key_rows},
      {"blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias"},
      {"blk.{}.attn_output.bias", "model.layers.{}.self_attn.o_proj.bias"},
      {"blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight"},
      {"blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight"},
      {"blk.{}.ffn_norm.weight", "model.layers.{}.post_attention_layernorm.weight"},
      {"blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight"},
      {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight"},
      {"blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight"},
  }};
}

struct LlamaLayer {
  Norm attention_norm;         // [d]
  Linear q, k, v;              // [H·D, d], [G·D, d], [G·D, d]
  std::optional<Norm> q_norm;  // [D], Qwen3
  std::optional<Norm> k_norm;  // [D], Qwen3
  Linear output;               // [d, H·D]
  Norm ffn_norm;               // [d]
  FeedForward ffn;
};

// Binds all layers of a model by the names of LlamaTensors.
std::vector<LlamaLayer> BindLlamaLayers(const DecoderConfig& config, Weights& weights);

}  // namespace tome
