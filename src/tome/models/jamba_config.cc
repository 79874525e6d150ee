#include "tome/models/jamba_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "tome/base/error.h"
#include "tome/models/gguf_keys.h"
#include "tome/models/hf_config.h"

namespace tome {
namespace {

constexpr int64_t kMaxSize = int64_t{1} << 20;

int64_t InRange(std::string_view key, int64_t value, int64_t least = 1, int64_t most = kMaxSize) {
  if (value < least || value > most) {
    throw Error(Code::kCorrupt,
                fmt::format("{} is {}; it must be from {} to {}", key, value, least, most));
  }
  return value;
}

// Returns every `period`-th layer, from layer `offset` on.
std::vector<bool> Periodic(int64_t layers, int64_t period, int64_t offset) {
  std::vector<bool> chosen(static_cast<size_t>(layers));
  for (int64_t l = 0; l < layers; ++l) chosen[static_cast<size_t>(l)] = l % period == offset;
  return chosen;
}

JambaConfig ReadHf(const Checkpoint& checkpoint) {
  const HfConfig hf = HfConfig::Parse(checkpoint.SideFile("config.json"));
  const auto size = [&](const char* key) {
    const auto value = hf.Int(key);
    if (!value) throw Error(Code::kCorrupt, fmt::format("config.json: {} is missing", key));
    return InRange(key, *value);
  };
  for (const char* key : {"mamba_proj_bias", "sliding_window"}) {
    const bool is_set =
        hf.Has(key) && (std::string_view(key) == "sliding_window" || hf.Bool(key).value_or(false));
    if (is_set) {
      throw Error(Code::kUnsupported,
                  fmt::format("config.json: {} is set; Tome runs Jamba without it", key));
    }
  }
  JambaConfig config;
  config.vocabulary = InRange("vocab_size", size("vocab_size"), 1, int64_t{1} << 24);
  config.width = size("hidden_size");
  config.layers = InRange("num_hidden_layers", size("num_hidden_layers"), 1, 1000);
  config.heads = size("num_attention_heads");
  config.kv_heads = size("num_key_value_heads");
  config.head_size = config.width / config.heads;
  config.ffn_width = size("intermediate_size");
  config.context = InRange("max_position_embeddings",
                           hf.Int("max_position_embeddings").value_or(262144), 1, int64_t{1} << 31);
  config.norm_eps = static_cast<float>(hf.Float("rms_norm_eps").value_or(1e-6));
  config.experts = size("num_experts");
  config.experts_used = size("num_experts_per_tok");
  const int64_t expand = InRange("mamba_expand", hf.Int("mamba_expand").value_or(2), 1, 64);
  const bool automatic = !hf.Has("mamba_dt_rank") || hf.IsString("mamba_dt_rank");
  config.mamba = {.inner = expand * config.width,
                  .states = size("mamba_d_state"),
                  .conv_width = size("mamba_d_conv"),
                  .rank = automatic ? (config.width + 15) / 16 : size("mamba_dt_rank")};
  const auto layers_of = [&](const std::string& kind) {
    const std::string offset = kind + "_layer_offset";
    return Periodic(config.layers, size((kind + "_layer_period").c_str()),
                    InRange(offset, hf.Int(offset).value_or(0), 0));
  };
  config.attends = layers_of("attn");
  config.mixes = config.experts > 1 ? layers_of("expert")
                                    : std::vector<bool>(static_cast<size_t>(config.layers), false);
  return config;
}

// Sets the layers that attend, which are those with KV heads, and those that mix, which have a
// router.
void ReadGgufLayers(const Checkpoint& checkpoint, const GgufKeys& keys, JambaConfig& config) {
  const std::string key = keys.Full("attention.head_count_kv");
  const std::vector<int64_t>* const counts = checkpoint.metadata().Ints(key);
  if (counts == nullptr || static_cast<int64_t>(counts->size()) != config.layers) {
    throw Error(Code::kCorrupt,
                fmt::format("{} is no list of {} numbers, one a layer", key, config.layers));
  }
  for (int64_t l = 0; l < config.layers; ++l) {
    const int64_t count = (*counts)[static_cast<size_t>(l)];
    config.attends.push_back(count != 0);
    if (count != 0 && config.kv_heads != 0 && count != config.kv_heads) {
      throw Error(Code::kUnsupported, fmt::format("{} differs from layer to layer", key));
    }
    if (count != 0) config.kv_heads = count;
    config.mixes.push_back(checkpoint.Find(fmt::format("blk.{}.ffn_gate_inp.weight", l)) !=
                           nullptr);
  }
}

JambaConfig ReadGguf(const Checkpoint& checkpoint) {
  const GgufKeys keys(checkpoint.metadata(), "jamba");
  const auto size = [&](const char* key) { return InRange(keys.Full(key), keys.Require(key)); };
  JambaConfig config;
  const TensorView* const embedding = checkpoint.Find("token_embd.weight");
  if (embedding == nullptr || embedding->shape.rank() != 2) {
    throw Error(Code::kCorrupt, "the tensor token_embd.weight is missing or no matrix");
  }
  config.vocabulary = embedding->shape[0];
  config.width = size("embedding_length");
  config.layers = InRange(keys.Full("block_count"), keys.Require("block_count"), 1, 1000);
  config.heads = size("attention.head_count");
  config.head_size = config.width / config.heads;
  config.ffn_width = size("feed_forward_length");
  config.context =
      InRange(keys.Full("context_length"), keys.Require("context_length"), 1, int64_t{1} << 31);
  config.norm_eps = static_cast<float>(keys.RequireFloat("attention.layer_norm_rms_epsilon"));
  config.experts = keys.Int("expert_count").value_or(0);
  config.experts_used = keys.Int("expert_used_count").value_or(0);
  config.mamba = {.inner = size("ssm.inner_size"),
                  .states = size("ssm.state_size"),
                  .conv_width = size("ssm.conv_kernel"),
                  .rank = size("ssm.time_step_rank")};
  ReadGgufLayers(checkpoint, keys, config);
  return config;
}

}  // namespace

JambaConfig ReadJambaConfig(const Checkpoint& checkpoint) {
  const JambaConfig config =
      checkpoint.container() == Container::kGguf ? ReadGguf(checkpoint) : ReadHf(checkpoint);
  const bool attends = std::ranges::count(config.attends, true) > 0;
  if (!attends || std::ranges::count(config.attends, false) == 0) {
    throw Error(Code::kUnsupported,
                "Jamba without layers of attention, or without layers of Mamba, is not run");
  }
  InRange("the number of KV heads", config.kv_heads, 1, config.heads);
  if (config.heads % config.kv_heads != 0) {
    throw Error(Code::kCorrupt, fmt::format("{} heads cannot share {} KV heads evenly",
                                            config.heads, config.kv_heads));
  }
  InRange("the head size", config.head_size, 1, kMaxHeadSize);
  if (std::ranges::count(config.mixes, true) > 0) {
    InRange("the number of experts", config.experts, 1, int64_t{1} << 14);
    InRange("the number of experts a token takes", config.experts_used, 1, config.experts);
  }
  if (!(config.norm_eps > 0) || !std::isfinite(config.norm_eps)) {
    throw Error(
        Code::kCorrupt,
        fmt::format("the norms' epsilon is {}; it must be a positive number", config.norm_eps));
  }
  return config;
}

}  // namespace tome
