#include "tome/models/state_space_config.h"

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

constexpr int64_t kMaxWidth = int64_t{1} << 20;

int64_t InRange(std::string_view key, int64_t value, int64_t most = kMaxWidth) {
  if (value < 1 || value > most) {
    throw Error(Code::kCorrupt, fmt::format("{} is {}; it must be from 1 to {}", key, value, most));
  }
  return value;
}

int64_t Require(const HfConfig& hf, std::string_view key) {
  const auto value = hf.Int(key);
  if (!value) throw Error(Code::kCorrupt, fmt::format("config.json: {} is missing", key));
  return InRange(key, *value);
}

// Returns the rows of the embedding. vocab_size may leave out padding.
int64_t VocabularyOf(const Checkpoint& checkpoint) {
  for (const char* name :
       {"token_embd.weight", "backbone.embeddings.weight", "backbone.embedding.weight"}) {
    const TensorView* embedding = checkpoint.Find(name);
    if (embedding != nullptr && embedding->shape.rank() == 2) return embedding->shape[0];
  }
  throw Error(Code::kNotFound,
              "the embedding (token_embd.weight, backbone.embeddings.weight) is missing");
}

void CheckStep(std::string_view key, double value) {
  if (!(value >= 0)) {
    throw Error(Code::kCorrupt,
                fmt::format("config.json: {} is {}; it must not be negative", key, value));
  }
}

float ToFloat(double value) {
  return static_cast<float>(
      std::min(value, static_cast<double>(std::numeric_limits<float>::max())));
}

StateSpaceConfig ReadGguf(const Checkpoint& checkpoint, const std::string& architecture) {
  const GgufKeys keys(checkpoint.metadata(), architecture);
  StateSpaceConfig config;
  const auto size = [&](const char* key) { return InRange(keys.Full(key), keys.Require(key)); };
  config.width = size("embedding_length");
  config.layers = InRange(keys.Full("block_count"), keys.Require("block_count"), 1000);
  config.context = InRange(keys.Full("context_length"),
                           keys.Int("context_length").value_or(kAnyLength), int64_t{1} << 31);
  // Converters write 2^20 for models without a context length.
  if (config.context >= int64_t{1} << 20) config.context = kAnyLength;
  config.norm_eps = static_cast<float>(keys.RequireFloat("attention.layer_norm_rms_epsilon"));
  config.mamba = {.inner = size("ssm.inner_size"),
                  .states = size("ssm.state_size"),
                  .conv_width = size("ssm.conv_kernel"),
                  .rank = size("ssm.time_step_rank")};
  if (checkpoint.metadata().Has(keys.Full("ssm.dt_b_c_rms"))) {
    config.step_norms = checkpoint.metadata().Bool(keys.Full("ssm.dt_b_c_rms")).value_or(false);
  }
  return config;
}

void RefuseBiases(const HfConfig& hf, std::string_view key) {
  if (hf.Bool(key).value_or(false)) {
    throw Error(Code::kUnsupported,
                fmt::format("config.json: {} is true; Tome runs models whose projections have no "
                            "biases",
                            key));
  }
}

// Reads config.json as transformers writes it.
StateSpaceConfig ReadHf(const HfConfig& hf) {
  RefuseBiases(hf, "use_bias");
  StateSpaceConfig config;
  config.width = Require(hf, "hidden_size");
  config.layers = InRange("num_hidden_layers", Require(hf, "num_hidden_layers"), 1000);
  config.norm_eps = static_cast<float>(hf.Float("layer_norm_epsilon").value_or(1e-5));
  config.mamba = {.inner = 0,
                  .states = Require(hf, "state_size"),
                  .conv_width = Require(hf, "conv_kernel"),
                  .rank = 0};
  const int64_t expand = InRange("expand", hf.Int("expand").value_or(2), 64);
  config.mamba.inner =
      InRange("intermediate_size", hf.Int("intermediate_size").value_or(expand * config.width));
  return config;
}

// Reads config.json as the authors of Mamba write it.
StateSpaceConfig ReadOriginal(const HfConfig& hf, int64_t states) {
  RefuseBiases(hf, "ssm_cfg.bias");
  StateSpaceConfig config;
  config.width = Require(hf, "d_model");
  config.layers = InRange("n_layer", Require(hf, "n_layer"), 1000);
  config.norm_eps = 1e-5F;
  const auto setting = [&](const std::string& key, int64_t otherwise) {
    return InRange("ssm_cfg." + key, hf.Int("ssm_cfg." + key).value_or(otherwise));
  };
  config.mamba = {.inner = InRange("ssm_cfg.expand", setting("expand", 2), 64) * config.width,
                  .states = setting("d_state", states),
                  .conv_width = setting("d_conv", 4),
                  .rank = 0};
  return config;
}

// Returns the number under `key`; for "auto", or without it, a sixteenth of the width, rounded up.
int64_t RankOf(const HfConfig& hf, std::string_view key, int64_t width) {
  if (!hf.Has(key) || hf.IsString(key)) return (width + 15) / 16;
  return Require(hf, key);
}

StateSpaceConfig Checked(StateSpaceConfig config, const Checkpoint& checkpoint) {
  config.vocabulary = VocabularyOf(checkpoint);
  if (!(config.norm_eps > 0) || !std::isfinite(config.norm_eps)) {
    throw Error(Code::kCorrupt, fmt::format("the norms' epsilon (layer_norm_epsilon) is {}; it "
                                            "must be a positive number",
                                            config.norm_eps));
  }
  return config;
}

bool IsOriginal(const HfConfig& hf) { return hf.Has("d_model"); }

}  // namespace

StateSpaceConfig ReadMambaConfig(const Checkpoint& checkpoint) {
  if (checkpoint.container() == Container::kGguf) {
    return Checked(ReadGguf(checkpoint, "mamba"), checkpoint);
  }
  const HfConfig hf = HfConfig::Parse(checkpoint.SideFile("config.json"));
  const bool original = IsOriginal(hf);
  StateSpaceConfig config = original ? ReadOriginal(hf, 16) : ReadHf(hf);
  config.mamba.rank = RankOf(hf, original ? "ssm_cfg.dt_rank" : "time_step_rank", config.width);
  return Checked(config, checkpoint);
}

StateSpaceConfig ReadMamba2Config(const Checkpoint& checkpoint) {
  StateSpaceConfig config;
  if (checkpoint.container() == Container::kGguf) {
    config = ReadGguf(checkpoint, "mamba2");
    const GgufKeys keys(checkpoint.metadata(), "mamba2");
    config.heads = config.mamba.rank;
    config.groups = InRange(keys.Full("ssm.group_count"), keys.Int("ssm.group_count").value_or(1));
    config.head_size = config.mamba.inner / config.heads;
  } else {
    const HfConfig hf = HfConfig::Parse(checkpoint.SideFile("config.json"));
    const bool original = IsOriginal(hf);
    config = original ? ReadOriginal(hf, 128) : ReadHf(hf);
    if (original) {
      config.head_size = InRange("ssm_cfg.headdim", hf.Int("ssm_cfg.headdim").value_or(64));
      config.heads = config.mamba.inner / config.head_size;
      config.groups = InRange("ssm_cfg.ngroups", hf.Int("ssm_cfg.ngroups").value_or(1));
    } else {
      config.head_size = Require(hf, "head_dim");
      config.heads = Require(hf, "num_heads");
      config.groups = Require(hf, "n_groups");
    }
    if (const auto limits = hf.Floats("time_step_limit"); limits && limits->size() == 2) {
      for (const double limit : *limits) CheckStep("time_step_limit", limit);
      config.least_step = ToFloat((*limits)[0]);
      config.most_step = ToFloat((*limits)[1]);
    }
  }
  if (config.heads < 1 || config.heads * config.head_size != config.mamba.inner ||
      config.heads % config.groups != 0) {
    throw Error(Code::kCorrupt,
                fmt::format("{} heads of {} channels in {} groups (num_heads, head_dim, n_groups) "
                            "do not make up {} inner channels evenly",
                            config.heads, config.head_size, config.groups, config.mamba.inner));
  }
  return Checked(config, checkpoint);
}

}  // namespace tome
