#include "tome/models/decoder_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "tome/base/error.h"
#include "tome/models/gguf_keys.h"
#include "tome/models/hf_config.h"

namespace tome {
namespace {

constexpr int64_t kMaxLayers = 1000;
constexpr int64_t kMaxHeads = int64_t{1} << 16;
constexpr int64_t kMaxWidth = int64_t{1} << 20;
constexpr int64_t kMaxVocabulary = int64_t{1} << 24;
constexpr int64_t kMaxContext = int64_t{1} << 31;

void CheckRange(std::string_view key, int64_t value, int64_t least, int64_t most) {
  if (value < least || value > most) {
    throw Error(Code::kCorrupt,
                fmt::format("{} is {}; it must be from {} to {}", key, value, least, most));
  }
}

void CheckPositive(std::string_view key, double value) {
  if (!(value > 0) || !std::isfinite(value)) {
    throw Error(Code::kCorrupt, fmt::format("{} is {}; it must be a positive number", key, value));
  }
}

void CheckNotNegative(std::string_view key, double value) {
  if (!(value >= 0) || !std::isfinite(value)) {
    throw Error(Code::kCorrupt, fmt::format("{} is {}; it must not be negative", key, value));
  }
}

void CheckFactors(std::string_view key, const std::vector<double>& factors, int64_t dimensions) {
  if (factors.empty()) return;
  if (static_cast<int64_t>(factors.size()) != dimensions / 2) {
    throw Error(Code::kCorrupt, fmt::format("{} has {} numbers; RoPE over {} channels needs {}",
                                            key, factors.size(), dimensions, dimensions / 2));
  }
  for (const double factor : factors) CheckPositive(key, factor);
}

// Throws for settings that would make frequencies NaN or negative.
void CheckScaling(const RopeConfig& rope) {
  CheckNotNegative("RoPE's attention_factor", rope.attention_factor);
  if (rope.type == RopeScalingType::kYarn) {
    CheckPositive("RoPE's beta_fast", rope.beta_fast);
    CheckPositive("RoPE's beta_slow", rope.beta_slow);
    if (rope.base <= 1) {
      throw Error(Code::kCorrupt, fmt::format("RoPE's base (rope.freq_base, rope_theta) is {}; "
                                              "scaling \"yarn\" needs one above 1",
                                              rope.base));
    }
  }
  if (rope.type == RopeScalingType::kLlama3) {
    CheckPositive("RoPE's low_freq_factor", rope.low_freq_factor);
    CheckPositive("RoPE's high_freq_factor", rope.high_freq_factor);
    if (rope.high_freq_factor <= rope.low_freq_factor) {
      throw Error(Code::kCorrupt,
                  fmt::format("RoPE's high_freq_factor, {}, must be above its low_freq_factor, {}",
                              rope.high_freq_factor, rope.low_freq_factor));
    }
  }
}

void Validate(const DecoderConfig& config) {
  CheckRange("the vocabulary's size (vocab_size)", config.vocabulary, 1, kMaxVocabulary);
  CheckRange("the width (embedding_length, hidden_size)", config.width, 1, kMaxWidth);
  CheckRange("the number of layers (block_count, num_hidden_layers)", config.layers, 1, kMaxLayers);
  CheckRange("the number of heads (attention.head_count, num_attention_heads)", config.heads, 1,
             kMaxHeads);
  CheckRange("the number of KV heads (attention.head_count_kv, num_key_value_heads)",
             config.kv_heads, 1, config.heads);
  if (config.heads % config.kv_heads != 0) {
    throw Error(Code::kCorrupt,
                fmt::format("{} heads cannot share {} KV heads evenly (num_key_value_heads, "
                            "attention.head_count_kv)",
                            config.heads, config.kv_heads));
  }
  CheckRange("the head size (attention.key_length, head_dim)", config.head_size, 1, kMaxHeadSize);
  CheckRange("the FFN width (feed_forward_length, intermediate_size)", config.ffn_width, 1,
             kMaxWidth * 4);
  CheckRange("the context (context_length, max_position_embeddings)", config.context, 1,
             kMaxContext);
  CheckRange("the window (sliding_window)", config.window, 0, kMaxContext);
  CheckPositive("the norms' epsilon (rms_norm_eps)", double{config.norm_eps});
  CheckPositive("RoPE's base (rope.freq_base, rope_theta)", config.rope.base);
  CheckPositive("RoPE's scaling factor", config.rope.factor);
  CheckRange("RoPE's dimensions", config.rope.dimensions, 2, config.head_size);
  CheckRange("RoPE's original context", config.rope.original_context, 0, kMaxContext);
  CheckPositive("the scale of attention scores", config.query_scale);
  if (config.rope.dimensions % 2 != 0) {
    throw Error(Code::kCorrupt, fmt::format("RoPE over {} channels: the number must be even",
                                            config.rope.dimensions));
  }
  CheckScaling(config.rope);
  CheckNotNegative("attn_logit_softcapping", double{config.attention_soft_cap});
  CheckNotNegative("final_logit_softcapping", double{config.logit_soft_cap});
  CheckFactors("RoPE's short factors", config.rope.short_factors, config.rope.dimensions);
  CheckFactors("RoPE's long factors", config.rope.long_factors, config.rope.dimensions);
  CheckFactors("rope_freqs.weight", config.rope.divisors, config.rope.dimensions);
  if (config.rope.type == RopeScalingType::kLongRope &&
      (config.rope.short_factors.empty() || config.rope.long_factors.empty() ||
       config.rope.original_context == 0)) {
    throw Error(Code::kCorrupt,
                "RoPE scaling \"longrope\" without its short and long factors or original context");
  }
}

RopeScalingType ScalingTypeFromName(std::string_view name) {
  if (name.empty() || name == "none" || name == "default") return RopeScalingType::kNone;
  if (name == "linear") return RopeScalingType::kLinear;
  if (name == "dynamic") return RopeScalingType::kDynamicNtk;
  if (name == "yarn") return RopeScalingType::kYarn;
  if (name == "llama3") return RopeScalingType::kLlama3;
  if (name == "longrope" || name == "su") return RopeScalingType::kLongRope;
  throw Error(Code::kUnsupported,
              fmt::format("RoPE scaling \"{}\" is not known; known are linear, dynamic, yarn, "
                          "llama3 and longrope",
                          name));
}

// Returns the context after scaling, where the container gives the unscaled one.
int64_t ScaledContext(const RopeConfig& rope, int64_t context) {
  const bool scales = rope.type == RopeScalingType::kLinear ||
                      rope.type == RopeScalingType::kYarn ||
                      rope.type == RopeScalingType::kDynamicNtk;
  if (!scales || rope.factor <= 1) return context;
  const int64_t original = rope.original_context > 0 ? rope.original_context : context;
  const double scaled = static_cast<double>(original) * rope.factor;
  return std::max(context,
                  static_cast<int64_t>(std::min(scaled, static_cast<double>(kMaxContext))));
}

// Returns Dual Chunk Attention from the settings of Qwen2.5-1M: chunk_size c and local_size w,
// which make chunks of c - w tokens. Empty without a chunk_size.
std::optional<ChunkedPositions> ChunksOf(std::optional<int64_t> chunk_size,
                                         std::optional<int64_t> local_size,
                                         std::optional<int64_t> trained, int64_t context) {
  if (!chunk_size) return std::nullopt;
  CheckRange("dual chunk attention's chunk_size", *chunk_size, 1, kMaxContext);
  CheckRange("dual chunk attention's local_size", local_size.value_or(0), 0, *chunk_size - 1);
  CheckRange("dual chunk attention's original_max_position_embeddings (orig_ctx)",
             trained.value_or(*chunk_size), 1, kMaxContext);
  const int64_t chunk = *chunk_size - local_size.value_or(0);
  if (chunk % kKvPageTokens != 0) {
    throw Error(Code::kUnsupported,
                fmt::format("dual chunk attention's chunk_size less local_size is {}; only "
                            "multiples of {} can be computed",
                            chunk, kKvPageTokens));
  }
  return ChunkedPositions{.chunk = chunk,
                          .limit = *chunk_size,
                          .trained = trained.value_or(std::min(context, *chunk_size))};
}

// --- GGUF ---------------------------------------------------------------------------------------

std::vector<double> VectorTensor(const Checkpoint& checkpoint, std::string_view name) {
  const TensorView* tensor = checkpoint.Find(name);
  if (tensor == nullptr) return {};
  if (tensor->dtype != DType::kF32 || tensor->shape.elements() > kMaxHeadSize) {
    throw Error(Code::kCorrupt, fmt::format("{} is not a short F32 vector", name));
  }
  std::vector<double> values;
  for (int64_t i = 0; i < tensor->shape.elements(); ++i) {
    float value = 0;
    std::memcpy(&value, tensor->data + i * 4, sizeof value);
    values.push_back(double{value});
  }
  return values;
}

RopeConfig ReadGgufRope(const Checkpoint& checkpoint, const GgufKeys& keys, int64_t head_size) {
  RopeConfig rope;
  rope.base = keys.Float("rope.freq_base").value_or(10000);
  rope.dimensions = keys.Int("rope.dimension_count").value_or(head_size);
  rope.type = ScalingTypeFromName(keys.String("rope.scaling.type").value_or(""));
  rope.factor = keys.Float("rope.scaling.factor").value_or(1);
  rope.original_context = keys.Int("rope.scaling.original_context_length").value_or(0);
  rope.beta_fast = keys.Float("rope.scaling.yarn_beta_fast").value_or(32);
  rope.beta_slow = keys.Float("rope.scaling.yarn_beta_slow").value_or(1);
  rope.divisors = VectorTensor(checkpoint, "rope_freqs.weight");
  rope.short_factors = VectorTensor(checkpoint, "rope_factors_short.weight");
  rope.long_factors = VectorTensor(checkpoint, "rope_factors_long.weight");
  if (!rope.long_factors.empty()) rope.type = RopeScalingType::kLongRope;
  const double multiplier = keys.Float("rope.scaling.attn_factor").value_or(1);
  // GGUF's factor multiplies YaRN's own. For LongRoPE it is the whole factor.
  if (rope.type == RopeScalingType::kYarn && multiplier != 1) {
    rope.attention_factor = multiplier * (0.1 * std::log(rope.factor) + 1);
  } else if (rope.type == RopeScalingType::kLongRope && keys.Has("rope.scaling.attn_factor")) {
    rope.attention_factor = multiplier;
  }
  return rope;
}

DecoderConfig ReadGguf(const Checkpoint& checkpoint, const std::string& architecture) {
  const GgufKeys keys(checkpoint.metadata(), architecture);
  DecoderConfig config;
  config.width = keys.Require("embedding_length");
  config.layers = keys.Require("block_count");
  config.heads = keys.Require("attention.head_count");
  config.kv_heads = keys.Int("attention.head_count_kv").value_or(config.heads);
  CheckRange(keys.Full("attention.head_count"), config.heads, 1, kMaxHeads);
  config.head_size = keys.Int("attention.key_length").value_or(config.width / config.heads);
  if (const auto values = keys.Int("attention.value_length");
      values && *values != config.head_size) {
    throw Error(Code::kUnsupported,
                fmt::format("{} is {} and not the size of the keys, {}",
                            keys.Full("attention.value_length"), *values, config.head_size));
  }
  config.ffn_width = keys.Require("feed_forward_length");
  config.norm_eps = static_cast<float>(keys.RequireFloat("attention.layer_norm_rms_epsilon"));
  config.rope = ReadGgufRope(checkpoint, keys, config.head_size);
  const int64_t context = keys.Require("context_length");
  config.context = ScaledContext(config.rope, context);
  if (config.rope.original_context == 0) config.rope.original_context = context;
  config.chunks =
      ChunksOf(keys.Int("attention.dca.chunk_size"), keys.Int("attention.dca.local_size"),
               keys.Int("attention.dca.orig_ctx"), context);
  config.window = keys.Int("attention.sliding_window").value_or(0);
  config.attention_soft_cap = static_cast<float>(keys.Float("attn_logit_softcapping").value_or(0));
  config.logit_soft_cap = static_cast<float>(keys.Float("final_logit_softcapping").value_or(0));
  config.query_scale = keys.Float("attention.scale").value_or(0);
  config.attention_bias = checkpoint.Find("blk.0.attn_q.bias") != nullptr;
  if (const TensorView* embedding = checkpoint.Find("token_embd.weight");
      embedding != nullptr && embedding->shape.rank() == 2) {
    config.vocabulary = embedding->shape[0];
  } else {
    throw Error(Code::kCorrupt, "the tensor token_embd.weight is missing or no matrix");
  }
  return config;
}

// --- Hugging Face --------------------------------------------------------------------------------

// The settings of RoPE stand under rope_scaling (with rope_theta at the top), or, since
// transformers 5, all under rope_parameters.
RopeConfig ReadHfRope(const HfConfig& hf, int64_t head_size, int64_t max_positions) {
  const bool v5 = hf.Has("rope_parameters");
  const std::string group = v5 ? "rope_parameters." : "rope_scaling.";
  const auto number = [&](const char* key) { return hf.Float(group + key); };
  RopeConfig rope;
  rope.base = number("rope_theta").value_or(hf.Float("rope_theta").value_or(10000));
  const double share =
      number("partial_rotary_factor").value_or(hf.Float("partial_rotary_factor").value_or(1));
  if (!(share > 0 && share <= 1)) {
    throw Error(Code::kCorrupt, fmt::format("config.json: partial_rotary_factor is {}", share));
  }
  rope.dimensions = static_cast<int64_t>(static_cast<double>(head_size) * share);
  rope.type = ScalingTypeFromName(
      hf.String(group + "rope_type").value_or(hf.String(group + "type").value_or("")));
  const auto original = hf.Int(group + "original_max_position_embeddings");
  rope.original_context =
      original ? *original : hf.Int("original_max_position_embeddings").value_or(0);
  const double ratio = rope.original_context > 0 ? static_cast<double>(max_positions) /
                                                       static_cast<double>(rope.original_context)
                                                 : 1;
  rope.factor = number("factor").value_or(ratio);
  if (rope.original_context == 0) rope.original_context = max_positions;
  rope.attention_factor = number("attention_factor").value_or(0);
  rope.beta_fast = number("beta_fast").value_or(32);
  rope.beta_slow = number("beta_slow").value_or(1);
  rope.truncate = hf.Bool(group + "truncate").value_or(true);
  rope.low_freq_factor = number("low_freq_factor").value_or(1);
  rope.high_freq_factor = number("high_freq_factor").value_or(4);
  rope.short_factors = hf.Floats(group + "short_factor").value_or(std::vector<double>{});
  rope.long_factors = hf.Floats(group + "long_factor").value_or(std::vector<double>{});
  if (rope.type == RopeScalingType::kLongRope) rope.factor = ratio;
  return rope;
}

int64_t RequireHf(const HfConfig& hf, std::string_view key) {
  if (const auto value = hf.Int(key)) return *value;
  throw Error(Code::kCorrupt, fmt::format("config.json: {} is missing", key));
}

// Returns which layers have the sliding window: by "layer_types" where config.json has it,
// otherwise by the architecture.
std::vector<bool> HfSlidingLayers(const HfConfig& hf, int64_t layers) {
  std::vector<bool> slides(static_cast<size_t>(layers), true);
  const auto types = hf.Strings("layer_types");
  const std::string model = hf.String("model_type").value_or("");
  const int64_t first = hf.Int("max_window_layers").value_or(0);
  for (size_t layer = 0; layer < slides.size(); ++layer) {
    if (types && layer < types->size()) {
      slides[layer] = (*types)[layer] == "sliding_attention";
    } else if (model == "gemma2") {
      slides[layer] = layer % 2 == 0;
    } else if (model == "qwen2" || model == "qwen3") {
      slides[layer] = static_cast<int64_t>(layer) >= first;
    }
  }
  return slides;
}

DecoderConfig ReadHf(const Checkpoint& checkpoint) {
  const HfConfig hf = HfConfig::Parse(checkpoint.SideFile("config.json"));
  DecoderConfig config;
  config.vocabulary = RequireHf(hf, "vocab_size");
  config.width = RequireHf(hf, "hidden_size");
  config.layers = RequireHf(hf, "num_hidden_layers");
  CheckRange("config.json: num_hidden_layers", config.layers, 1, kMaxLayers);
  config.heads = RequireHf(hf, "num_attention_heads");
  CheckRange("config.json: num_attention_heads", config.heads, 1, kMaxHeads);
  config.kv_heads = hf.Int("num_key_value_heads").value_or(config.heads);
  config.head_size = hf.Int("head_dim").value_or(config.width / config.heads);
  // This check comes before RoPE's share of the head size is computed, which a hostile size would
  // overflow.
  CheckRange("config.json: the head size (head_dim, hidden_size)", config.head_size, 1,
             kMaxHeadSize);
  config.ffn_width = RequireHf(hf, "intermediate_size");
  config.norm_eps = static_cast<float>(hf.Float("rms_norm_eps").value_or(1e-6));
  const int64_t max_positions = RequireHf(hf, "max_position_embeddings");
  config.rope = ReadHfRope(hf, config.head_size, max_positions);
  config.context = ScaledContext(config.rope, max_positions);
  const std::string dca = "dual_chunk_attention_config.";
  config.chunks = ChunksOf(hf.Int(dca + "chunk_size"), hf.Int(dca + "local_size"),
                           hf.Int(dca + "original_max_position_embeddings"), max_positions);
  // Qwen2 writes a window together with use_sliding_window: false.
  if (hf.Bool("use_sliding_window").value_or(true)) {
    config.window = hf.Int("sliding_window").value_or(0);
  }
  config.layer_slides = HfSlidingLayers(hf, config.layers);
  if (const auto scalar = hf.Float("query_pre_attn_scalar")) {
    CheckPositive("config.json: query_pre_attn_scalar", *scalar);
    config.query_scale = 1 / std::sqrt(*scalar);
  }
  config.attention_soft_cap = static_cast<float>(hf.Float("attn_logit_softcapping").value_or(0));
  config.logit_soft_cap = static_cast<float>(hf.Float("final_logit_softcapping").value_or(0));
  config.attention_bias = hf.Bool("attention_bias").value_or(false);
  return config;
}

}  // namespace

std::string_view NameOf(RopeScalingType type) {
  switch (type) {
    case RopeScalingType::kNone:
      return "none";
    case RopeScalingType::kLinear:
      return "linear";
    case RopeScalingType::kDynamicNtk:
      return "dynamic";
    case RopeScalingType::kYarn:
      return "yarn";
    case RopeScalingType::kLlama3:
      return "llama3";
    case RopeScalingType::kLongRope:
      return "longrope";
  }
  return "none";
}

DecoderConfig ReadDecoderConfig(const Checkpoint& checkpoint, const std::string& architecture) {
  const bool gguf = checkpoint.container() == Container::kGguf;
  DecoderConfig config = gguf ? ReadGguf(checkpoint, architecture) : ReadHf(checkpoint);
  if (config.layer_slides.empty()) {
    CheckRange("the number of layers", config.layers, 1, kMaxLayers);
    config.layer_slides.assign(static_cast<size_t>(config.layers), true);
    // GGUF does not say which layers slide; Gemma 2 alternates, beginning with one that does.
    if (architecture == "gemma2") {
      for (size_t layer = 1; layer < config.layer_slides.size(); layer += 2) {
        config.layer_slides[layer] = false;
      }
    }
  }
  if (config.query_scale == 0 && config.head_size > 0) {
    config.query_scale = 1 / std::sqrt(static_cast<double>(config.head_size));
  }
  Validate(config);
  return config;
}

}  // namespace tome
