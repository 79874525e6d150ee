#include "tome/models/encoder_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tome/base/error.h"
#include "tome/kernels/attention.h"

namespace tome {
namespace {

void CheckSize(std::string_view key, int64_t value, int64_t most) {
  if (value >= 1 && value <= most) return;
  throw Error(Code::kCorrupt, fmt::format("{} is {}; it must be from 1 to {}", key, value, most));
}

int64_t RequireHf(const HfConfig& hf, std::string_view key) {
  const auto value = hf.Int(key);
  if (!value) throw Error(Code::kCorrupt, fmt::format("config.json: {} is missing", key));
  return *value;
}

Activation ActivationNamed(std::string_view name) {
  if (name == "gelu") return Activation::kGelu;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast") {
    return Activation::kGeluTanh;
  }
  if (name == "silu" || name == "swish") return Activation::kSilu;
  throw Error(Code::kUnsupported,
              fmt::format("config.json: hidden_act \"{}\" is not known; known are gelu, gelu_new, "
                          "gelu_pytorch_tanh, gelu_fast, silu and swish",
                          name));
}

std::optional<Pooling> PoolingOfType(const GgufKeys& keys) {
  const auto type = keys.Int("pooling_type");
  if (!type || *type == 0) return std::nullopt;  // 0: none
  switch (*type) {
    case 1:
      return Pooling::kMean;
    case 2:
    case 4:  // of a reranker, which reads the first token
      return Pooling::kFirst;
    case 3:
      return Pooling::kLast;
    default:
      throw Error(Code::kUnsupported,
                  fmt::format("{} is {}; known are 0 to 4", keys.Full("pooling_type"), *type));
  }
}

}  // namespace

void CheckEncoderConfig(const EncoderConfig& config) {
  constexpr int64_t kMaxWidth = int64_t{1} << 20;
  CheckSize("the vocabulary's size (vocab_size)", config.vocabulary, int64_t{1} << 24);
  CheckSize("the width (embedding_length, hidden_size)", config.width, kMaxWidth);
  CheckSize("the number of layers (block_count, num_hidden_layers)", config.layers, 1000);
  CheckSize("the number of heads (attention.head_count, num_attention_heads)", config.heads,
            config.width);
  if (config.width % config.heads != 0) {
    throw Error(Code::kCorrupt,
                fmt::format("a width of {} cannot be shared by {} heads evenly (hidden_size, "
                            "num_attention_heads)",
                            config.width, config.heads));
  }
  CheckSize("the head size (hidden_size / num_attention_heads)", config.head_size(), kMaxHeadSize);
  CheckSize("the FFN width (feed_forward_length, intermediate_size)", config.ffn_width,
            kMaxWidth * 4);
  CheckSize("the number of positions (context_length, max_position_embeddings)", config.positions,
            int64_t{1} << 24);
  CheckSize("the number of token types (type_vocab_size)", config.token_types, 1024);
  if (!(config.norm_eps > 0) || !std::isfinite(config.norm_eps)) {
    throw Error(Code::kCorrupt, fmt::format("the norms' epsilon (layer_norm_eps) is {}; it must be "
                                            "a positive number",
                                            config.norm_eps));
  }
}

EncoderConfig ReadGgufEncoder(const Checkpoint& checkpoint, const GgufKeys& keys) {
  const auto rows_of = [&](std::string_view name) -> int64_t {
    const TensorView* const tensor = checkpoint.Find(name);
    return tensor != nullptr && tensor->shape.rank() == 2 ? tensor->shape[0] : 0;
  };
  return {.vocabulary = rows_of("token_embd.weight"),
          .width = keys.Require("embedding_length"),
          .layers = keys.Require("block_count"),
          .heads = keys.Require("attention.head_count"),
          .ffn_width = keys.Require("feed_forward_length"),
          .positions = keys.Require("context_length"),
          .token_types = rows_of("token_types.weight"),
          .norm_eps = static_cast<float>(keys.RequireFloat("attention.layer_norm_epsilon")),
          .pooling = PoolingOfType(keys)};
}

EncoderConfig ReadHfEncoder(const HfConfig& hf) {
  return {.vocabulary = RequireHf(hf, "vocab_size"),
          .width = RequireHf(hf, "hidden_size"),
          .layers = RequireHf(hf, "num_hidden_layers"),
          .heads = RequireHf(hf, "num_attention_heads"),
          .ffn_width = RequireHf(hf, "intermediate_size"),
          .positions = RequireHf(hf, "max_position_embeddings"),
          .token_types = hf.Int("type_vocab_size").value_or(2),
          .norm_eps = static_cast<float>(hf.Float("layer_norm_eps").value_or(1e-12)),
          .activation = ActivationNamed(hf.String("hidden_act").value_or("gelu")),
          .pooling = std::nullopt};
}

EncoderFacts EncoderFactsOf(const EncoderConfig& config, const Architecture& architecture,
                            const Weights& weights) {
  EncoderFacts facts{.architecture = std::string(architecture.hf_model_type),
                     .vocabulary = config.vocabulary,
                     .width = config.width,
                     .layers = config.layers,
                     .max_tokens = config.positions,
                     .parameters = weights.parameters(),
                     .attention_width = config.layers * config.width,
                     .pooling = config.pooling};
  int64_t most = 0;
  for (const LinearWeights& linear : weights.linear()) {
    facts.linear_parameters += linear.elements;
    if (linear.elements > most) facts.weights = linear.dtype;
    most = std::max(most, linear.elements);
  }
  return facts;
}

}  // namespace tome
