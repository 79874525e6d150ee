#include "tome/models/layers/llama_layer.h"

namespace tome {

std::vector<LlamaLayer> BindLlamaLayers(const DecoderConfig& config, Weights& weights) {
  const DecoderConfig& c = config;
  const auto norm = [&](std::string_view name, int64_t layer, int64_t size) {
    return weights.BindNorm(name, layer, size, c.norm_eps);
  };
  const auto head_norm = [&](std::string_view name, int64_t layer) {
    return weights.Has(name, layer) ? std::optional(norm(name, layer, c.head_size)) : std::nullopt;
  };
  std::vector<LlamaLayer> layers;
  for (int64_t l = 0; l < c.layers; ++l) {
    layers.push_back({
        .attention_norm = norm("blk.{}.attn_norm.weight", l, c.width),
        .q = weights.BindLinear("blk.{}.attn_q", l, c.heads * c.head_size, c.width),
        .k = weights.BindLinear("blk.{}.attn_k", l, c.kv_heads * c.head_size, c.width),
        .v = weights.BindLinear("blk.{}.attn_v", l, c.kv_heads * c.head_size, c.width),
        .q_norm = head_norm("blk.{}.attn_q_norm.weight", l),
        .k_norm = head_norm("blk.{}.attn_k_norm.weight", l),
        .output = weights.BindLinear("blk.{}.attn_output", l, c.width, c.heads * c.head_size),
        .ffn_norm = norm("blk.{}.ffn_norm.weight", l, c.width),
        .ffn = {.gate = weights.BindLinear("blk.{}.ffn_gate", l, c.ffn_width, c.width),
                .up = weights.BindLinear("blk.{}.ffn_up", l, c.ffn_width, c.width),
                .down = weights.BindLinear("blk.{}.ffn_down", l, c.width, c.ffn_width)},
    });
  }
  return layers;
}

}  // namespace tome
