#include "tome/models/decoder_config_write.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tome/models/layers/rope.h"

namespace tome {
namespace {

std::vector<float> Floats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

// Returns the numbers by which Llama 3's scaling divides the plain frequencies. GGUF keeps these
// numbers.
std::vector<float> Llama3Divisors(const RopeConfig& rope) {
  RopeConfig plain = rope;
  plain.type = RopeScalingType::kNone;
  const RopeFrequencies scaled(rope, 0);
  const RopeFrequencies unscaled(plain, 0);
  std::vector<float> divisors;
  for (size_t i = 0; i < scaled.frequencies().size(); ++i) {
    divisors.push_back(static_cast<float>(unscaled.frequencies()[i] / scaled.frequencies()[i]));
  }
  return divisors;
}

std::vector<SettingsTensor> WriteGgufRope(const RopeConfig& rope, const std::string& prefix,
                                          GgufPairs& pairs, std::vector<std::string>& notes) {
  const auto set = [&](const char* key, double value) {
    pairs.SetFloat32(prefix + "rope." + key, static_cast<float>(value));
  };
  set("freq_base", rope.base);
  pairs.SetUint32(prefix + "rope.dimension_count", static_cast<uint32_t>(rope.dimensions));
  std::vector<SettingsTensor> tensors;
  if (!rope.divisors.empty()) tensors.push_back({"rope_freqs.weight", Floats(rope.divisors)});
  if (rope.type == RopeScalingType::kNone) return tensors;
  if (rope.type == RopeScalingType::kLlama3) {
    tensors.push_back({"rope_freqs.weight", Llama3Divisors(rope)});
    return tensors;
  }
  pairs.SetString(prefix + "rope.scaling.type", NameOf(rope.type));
  set("scaling.factor", rope.factor);
  pairs.SetUint32(prefix + "rope.scaling.original_context_length",
                  static_cast<uint32_t>(rope.original_context));
  if (rope.type == RopeScalingType::kLongRope) {
    tensors.push_back({"rope_factors_short.weight", Floats(rope.short_factors)});
    tensors.push_back({"rope_factors_long.weight", Floats(rope.long_factors)});
    set("scaling.attn_factor", RopeFrequencies(rope, 0).attention_factor());
  } else if (rope.type == RopeScalingType::kYarn) {
    set("scaling.yarn_beta_fast", rope.beta_fast);
    set("scaling.yarn_beta_slow", rope.beta_slow);
    if (rope.attention_factor > 0) {
      set("scaling.attn_factor", rope.attention_factor / (0.1 * std::log(rope.factor) + 1));
    }
    if (!rope.truncate) notes.emplace_back("GGUF cannot say that YaRN's range is not rounded");
  } else if (rope.type == RopeScalingType::kDynamicNtk) {
    notes.emplace_back("GGUF has no dynamic NTK scaling of RoPE; only Tome will apply it");
  }
  return tensors;
}

}  // namespace

std::vector<SettingsTensor> WriteGgufConfig(const DecoderConfig& config, const Architecture& target,
                                            GgufPairs& pairs, std::vector<std::string>& notes) {
  const std::string prefix = std::string(target.name) + ".";
  const auto set = [&](const char* key, int64_t value) {
    pairs.SetUint32(prefix + key, static_cast<uint32_t>(value));
  };
  pairs.SetString("general.architecture", target.name);
  set("context_length", config.rope.type == RopeScalingType::kYarn ||
                                config.rope.type == RopeScalingType::kLinear ||
                                config.rope.type == RopeScalingType::kDynamicNtk
                            ? std::max(config.rope.original_context, int64_t{1})
                            : config.context);
  set("embedding_length", config.width);
  set("block_count", config.layers);
  set("feed_forward_length", config.ffn_width);
  set("attention.head_count", config.heads);
  set("attention.head_count_kv", config.kv_heads);
  set("attention.key_length", config.head_size);
  set("attention.value_length", config.head_size);
  set("vocab_size", config.vocabulary);
  pairs.SetFloat32(prefix + "attention.layer_norm_rms_epsilon", config.norm_eps);
  if (config.chunks) {
    set("attention.dca.chunk_size", config.chunks->limit);
    set("attention.dca.local_size", config.chunks->limit - config.chunks->chunk);
    set("attention.dca.orig_ctx", config.chunks->trained);
    notes.emplace_back(
        "GGUF has no dual chunk attention; only Tome will read longer texts than the model was "
        "trained for as it was made to");
  }
  if (config.window > 0) {
    set("attention.sliding_window", config.window);
    for (int64_t layer = 0; layer < config.layers; ++layer) {
      const bool expected = target.name != "gemma2" || layer % 2 == 0;
      if (config.Slides(layer) != expected) {
        notes.emplace_back("GGUF cannot say which layers have the sliding window");
        break;
      }
    }
  }
  if (config.attention_soft_cap > 0) {
    pairs.SetFloat32(prefix + "attn_logit_softcapping", config.attention_soft_cap);
  }
  if (config.logit_soft_cap > 0) {
    pairs.SetFloat32(prefix + "final_logit_softcapping", config.logit_soft_cap);
  }
  if (config.query_scale != 1 / std::sqrt(static_cast<double>(config.head_size))) {
    pairs.SetFloat32(prefix + "attention.scale", static_cast<float>(config.query_scale));
  }
  return WriteGgufRope(config.rope, prefix, pairs, notes);
}

nlohmann::ordered_json HfConfigOf(const DecoderConfig& config, const Architecture& target,
                                  bool tied) {
  nlohmann::ordered_json json = {
      {"architectures", {target.hf_class}},
      {"model_type", target.hf_model_type},
      {"hidden_size", config.width},
      {"intermediate_size", config.ffn_width},
      {"num_hidden_layers", config.layers},
      {"num_attention_heads", config.heads},
      {"num_key_value_heads", config.kv_heads},
      {"head_dim", config.head_size},
      {"vocab_size", config.vocabulary},
      {"max_position_embeddings", config.context},
      {"rms_norm_eps", config.norm_eps},
      {"hidden_act", target.name == "gemma2" ? "gelu_pytorch_tanh" : "silu"},
      {"attention_bias", config.attention_bias && target.name == "llama"},
      {"rope_theta", config.rope.base},
      {"tie_word_embeddings", tied},
  };
  if (config.rope.dimensions != config.head_size) {
    json["partial_rotary_factor"] =
        static_cast<double>(config.rope.dimensions) / static_cast<double>(config.head_size);
  }
  const RopeConfig& rope = config.rope;
  nlohmann::ordered_json scaling = {{"rope_type", NameOf(rope.type)}};
  if (rope.type == RopeScalingType::kLongRope || !rope.divisors.empty()) {
    // GGUF's ready-made divisors become LongRoPE's factors, the same for every length.
    const bool divisors = !rope.divisors.empty();
    scaling = {{"rope_type", "longrope"},
               {"short_factor", divisors ? rope.divisors : rope.short_factors},
               {"long_factor", divisors ? rope.divisors : rope.long_factors},
               {"attention_factor", RopeFrequencies(rope, 0).attention_factor()},
               {"original_max_position_embeddings", rope.original_context}};
    json["original_max_position_embeddings"] = rope.original_context;
    json["rope_scaling"] = scaling;
  } else if (rope.type != RopeScalingType::kNone) {
    scaling["factor"] = rope.factor;
    scaling["original_max_position_embeddings"] = rope.original_context;
    if (rope.type == RopeScalingType::kYarn) {
      scaling["beta_fast"] = rope.beta_fast;
      scaling["beta_slow"] = rope.beta_slow;
      scaling["truncate"] = rope.truncate;
      if (rope.attention_factor > 0) scaling["attention_factor"] = rope.attention_factor;
    }
    if (rope.type == RopeScalingType::kLlama3) {
      scaling["low_freq_factor"] = rope.low_freq_factor;
      scaling["high_freq_factor"] = rope.high_freq_factor;
    }
    json["rope_scaling"] = scaling;
  }
  if (config.chunks) {
    json["dual_chunk_attention_config"] = {
        {"chunk_size", config.chunks->limit},
        {"local_size", config.chunks->limit - config.chunks->chunk},
        {"original_max_position_embeddings", config.chunks->trained}};
  }
  if (config.window > 0) {
    json["sliding_window"] = config.window;
    json["use_sliding_window"] = true;
    std::vector<std::string> types;
    for (int64_t layer = 0; layer < config.layers; ++layer) {
      types.emplace_back(config.Slides(layer) ? "sliding_attention" : "full_attention");
    }
    json["layer_types"] = types;
  } else if (target.name == "qwen2" || target.name == "qwen3") {
    json["use_sliding_window"] = false;
  }
  if (target.name == "gemma2") {
    json["query_pre_attn_scalar"] = 1 / (config.query_scale * config.query_scale);
    if (config.attention_soft_cap > 0) json["attn_logit_softcapping"] = config.attention_soft_cap;
    if (config.logit_soft_cap > 0) json["final_logit_softcapping"] = config.logit_soft_cap;
  }
  return json;
}

}  // namespace tome
