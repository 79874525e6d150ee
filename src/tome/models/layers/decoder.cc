#include "tome/models/layers/decoder.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "tome/base/error.h"

namespace tome {

AttentionShape AttentionShapeOf(const DecoderConfig& config, int64_t layer) {
  return {.heads = config.heads,
          .kv_heads = config.kv_heads,
          .head_size = config.head_size,
          .window = config.Slides(layer) ? config.window : 0,
          .scale = static_cast<float>(config.query_scale),
          .soft_cap = config.attention_soft_cap};
}

Memory NewDecoderMemory(const ModelFacts& facts, const MemoryOptions& options) {
  if (options.max_tokens < 0) {
    throw Error(Code::kInvalidArgument,
                fmt::format("a memory for {} tokens was asked for", options.max_tokens));
  }
  const double mass = options.attention_mass.value_or(1);
  if (!(mass > 0 && mass <= 1)) {
    throw Error(Code::kInvalidArgument,
                fmt::format("the mass of sparse attention is above 0 and at most 1, not {}", mass));
  }
  std::optional<SparseAttention> sparse;
  if (mass < 1 && facts.has_attention()) {
    sparse = {.mass = mass, .summaries = KeySummaries(facts.kv), .use = {}};
  }
  const int64_t max_tokens = options.max_tokens > 0 ? options.max_tokens : facts.trained_tokens;
  std::optional<PagedKv> kv;
  if (facts.has_attention()) kv.emplace(facts.kv, options.kv.value_or(facts.kv_type));
  if (!facts.has_recurrent()) return {std::move(kv).value(), max_tokens, std::move(sparse)};
  return {Recurrent(facts.recurrent), std::move(kv), max_tokens, std::move(sparse)};
}

ModelFacts FactsOf(const DecoderConfig& config, const std::string& architecture,
                   const Weights& weights) {
  const int64_t q_width = config.heads * config.head_size;
  const int64_t kv_width = config.kv_heads * config.head_size;
  const int64_t layer = config.width * (2 * q_width + 2 * kv_width + 3 * config.ffn_width);
  return {
      .architecture = architecture,
      .vocabulary = config.vocabulary,
      .trained_tokens = config.context,
      .layers = config.layers,
      .parameters = weights.parameters(),
      .linear_parameters = config.layers * layer + config.vocabulary * config.width,
      .linear = weights.linear(),
      .head = weights.head(),
      .kv = {.layers = config.layers, .kv_heads = config.kv_heads, .head_size = config.head_size},
      .kv_type = weights.compute().kernels.kv_type,
      .rope_by_length = config.rope.type == RopeScalingType::kDynamicNtk ||
                        config.rope.type == RopeScalingType::kLongRope,
      .attention_width = config.layers * q_width};
}

}  // namespace tome
