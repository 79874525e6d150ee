#include "tome/models/retnet.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "tome/base/error.h"
#include "tome/models/hf_config.h"
#include "tome/models/layers/attention.h"
#include "tome/models/layers/decoder.h"
#include "tome/models/layers/linear.h"
#include "tome/models/layers/norm.h"
#include "tome/models/layers/residual.h"
#include "tome/models/layers/rope.h"
#include "tome/models/layers/token_rows.h"
#include "tome/models/weights.h"

namespace tome {
namespace {

constexpr std::array<TensorName, 14> kTorchscaleTensors{{
    {"token_embd.weight", "embed_tokens.weight"},
    {"token_embd_norm.weight", "layernorm_embedding.weight"},
    {"output_norm.weight", "layer_norm.weight"},
    {"output.weight", "output_projection.weight"},
    {"blk.{}.attn_norm.weight", "layers.{}.retention_layer_norm.weight"},
    {"blk.{}.attn_q.weight", "layers.{}.retention.q_proj.weight"},
    {"blk.{}.attn_k.weight", "layers.{}.retention.k_proj.weight"},
    {"blk.{}.attn_v.weight", "layers.{}.retention.v_proj.weight"},
    {"blk.{}.attn_gate.weight", "layers.{}.retention.g_proj.weight"},
    {"blk.{}.attn_output.weight", "layers.{}.retention.out_proj.weight"},
    {"blk.{}.ffn_norm.weight", "layers.{}.final_layer_norm.weight"},
    {"blk.{}.ffn_gate.weight", "layers.{}.ffn.fc1.weight"},
    {"blk.{}.ffn_up.weight", "layers.{}.ffn.gate.weight"},
    {"blk.{}.ffn_down.weight", "layers.{}.ffn.fc2.weight"},
}};
constexpr std::array<TensorName, 14> kFlaTensors{{
    {"token_embd.weight", "model.embeddings.weight"},
    {"output_norm.weight", "model.norm.weight"},
    {"output.weight", "lm_head.weight"},
    {"blk.{}.attn_norm.weight", "model.layers.{}.attn_norm.weight"},
    {"blk.{}.attn_q.weight", "model.layers.{}.attn.q_proj.weight"},
    {"blk.{}.attn_k.weight", "model.layers.{}.attn.k_proj.weight"},
    {"blk.{}.attn_v.weight", "model.layers.{}.attn.v_proj.weight"},
    {"blk.{}.attn_gate.weight", "model.layers.{}.attn.g_proj.weight"},
    {"blk.{}.attn_sub_norm.weight", "model.layers.{}.attn.g_norm_swish_gate.weight"},
    {"blk.{}.attn_output.weight", "model.layers.{}.attn.o_proj.weight"},
    {"blk.{}.ffn_norm.weight", "model.layers.{}.mlp_norm.weight"},
    {"blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight"},
    {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight"},
    {"blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight"},
}};

constexpr int64_t kMaxLayers = 1000;
constexpr int64_t kMaxHeads = 1000;
constexpr int64_t kMaxWidth = int64_t{1} << 20;
constexpr int64_t kMaxVocabulary = int64_t{1} << 24;

// The two implementations differ in names and in these details:
//                         torchscale                flash-linear-attention
//   pairs that turn       (2i, 2i + 1)              (i, i + K/2)
//   their frequencies     10000^(−i / (K/2 − 1))    10000^(−2i / K)
//   retained values       divided by √Σγ^i          as they are
//   norm of heads         without a weight          with a weight
struct RetNetConfig {
  bool torchscale = false;
  int64_t vocabulary = 0;  // V
  int64_t width = 0;       // d
  int64_t layers = 0;      // L
  int64_t heads = 0;       // H
  int64_t key_size = 0;    // K, of a head
  int64_t value_size = 0;  // of a head
  int64_t ffn_width = 0;   // F
  float eps = 0;
  float embedding_scale = 1;
  bool embedding_norm = false;
  bool exact_gelu = false;   // GELU by erf in the feed-forward network, not SiLU
  bool norm_first = true;    // norms before each block; else after its sum with the residual
  float residual_scale = 1;  // DeepNorm's α
};

int64_t CheckedSize(const HfConfig& hf, std::string_view key, std::optional<int64_t> value,
                    int64_t most) {
  if (!value) value = hf.Int(key);
  if (!value) throw Error(Code::kCorrupt, fmt::format("config.json: {} is missing", key));
  if (*value < 1 || *value > most) {
    throw Error(Code::kCorrupt,
                fmt::format("config.json: {} is {}; it must be from 1 to {}", key, *value, most));
  }
  return *value;
}

[[noreturn]] void Refuse(std::string_view key, std::string_view what) {
  throw Error(Code::kUnsupported,
              fmt::format("config.json: {} is set; Tome runs RetNets without {}", key, what));
}

// Returns the width of one head from the width of all heads.
int64_t OfOneHead(std::string_view key, int64_t width, int64_t heads) {
  if (width % heads != 0) {
    throw Error(Code::kCorrupt,
                fmt::format("config.json: {} heads cannot share {} {} evenly", heads, key, width));
  }
  return width / heads;
}

RetNetConfig ReadTorchscale(const HfConfig& hf) {
  const auto size = [&](std::string_view key, int64_t default_size, int64_t most) {
    return CheckedSize(hf, key, hf.Int(key).value_or(default_size), most);
  };
  const auto flag = [&](std::string_view key, bool otherwise) {
    return hf.Bool(key).value_or(otherwise);
  };
  RetNetConfig config{.torchscale = true};
  config.vocabulary = CheckedSize(hf, "vocab_size", {}, kMaxVocabulary);
  config.width = CheckedSize(hf, "decoder_embed_dim", {}, kMaxWidth);
  config.layers = size("decoder_layers", 12, kMaxLayers);
  config.heads = size("decoder_retention_heads", 3, kMaxHeads);
  const int64_t values = size("decoder_value_embed_dim", 1280, kMaxWidth);
  config.key_size = OfOneHead("decoder_embed_dim", config.width, config.heads);
  config.value_size = OfOneHead("decoder_value_embed_dim", values, config.heads);
  config.ffn_width = size("decoder_ffn_embed_dim", 1280, kMaxWidth);
  config.eps = static_cast<float>(hf.Float("layernorm_eps").value_or(1e-6));
  if (!flag("no_scale_embedding", true)) {
    config.embedding_scale = std::sqrt(static_cast<float>(config.width));
  }
  config.embedding_norm = flag("layernorm_embedding", false);
  const std::string activation = hf.String("activation_fn").value_or("gelu");
  if (activation != "gelu" && activation != "swish") {
    throw Error(
        Code::kUnsupported,
        fmt::format("config.json: activation_fn is \"{}\"; there are gelu and swish", activation));
  }
  config.exact_gelu = activation == "gelu";
  // One setting changes the next, as in torchscale's RetNetConfig.
  const bool deepnorm = flag("deepnorm", false);
  const bool sub_norm = flag("subln", true) && !deepnorm;
  config.norm_first = sub_norm || (!deepnorm && flag("decoder_normalize_before", true));
  if (deepnorm) {
    config.residual_scale = std::pow(2 * static_cast<float>(config.layers), 0.25F);
  }
  if (hf.Int("moe_freq").value_or(0) != 0) Refuse("moe_freq", "experts");
  if (flag("multiway", false)) Refuse("multiway", "several ways");
  return config;
}

RetNetConfig ReadFla(const HfConfig& hf) {
  RetNetConfig config;
  config.vocabulary = CheckedSize(hf, "vocab_size", {}, kMaxVocabulary);
  config.width = CheckedSize(hf, "hidden_size", {}, kMaxWidth);
  config.layers = CheckedSize(hf, "num_hidden_layers", {}, kMaxLayers);
  config.heads = CheckedSize(hf, "num_heads", {}, kMaxHeads);
  const auto expanded = [&](std::string_view key, double otherwise) {
    const double width = static_cast<double>(config.width) * hf.Float(key).value_or(otherwise);
    if (!(width >= 1 && width <= static_cast<double>(kMaxWidth))) {
      throw Error(Code::kCorrupt, fmt::format("config.json: {} makes the width {}", key, width));
    }
    return OfOneHead(key, std::llround(width), config.heads);
  };
  config.key_size = expanded("expand_k", 1);
  config.value_size = expanded("expand_v", 2);
  std::optional<int64_t> ffn = hf.Int("intermediate_size");
  if (!ffn) {
    constexpr int64_t kMultiple = 256;
    const int64_t ratio = CheckedSize(hf, "hidden_ratio", hf.Int("hidden_ratio").value_or(2), 1000);
    const int64_t wanted = config.width * ratio * 2 / 3;
    ffn = (wanted + kMultiple - 1) / kMultiple * kMultiple;
  }
  config.ffn_width = CheckedSize(hf, "intermediate_size", ffn, kMaxWidth);
  config.eps = static_cast<float>(hf.Float("norm_eps").value_or(1e-6));
  const std::string activation = hf.String("hidden_act").value_or("swish");
  if (activation != "swish" && activation != "silu") {
    throw Error(Code::kUnsupported,
                fmt::format("config.json: hidden_act is \"{}\"; Tome runs swish", activation));
  }
  if (hf.Has("attn")) Refuse("attn", "layers of attention");
  if (hf.Has("feature_map")) Refuse("feature_map", "feature maps");
  if (hf.Bool("use_short_conv").value_or(false)) Refuse("use_short_conv", "convolutions");
  if (!hf.Bool("use_output_gate").value_or(true)) {
    throw Error(Code::kUnsupported, "config.json: use_output_gate is off; Tome needs the gate");
  }
  if (hf.Int("num_kv_heads").value_or(config.heads) != config.heads) {
    throw Error(Code::kUnsupported,
                "config.json: num_kv_heads differs from num_heads; Tome runs "
                "RetNets whose heads have keys of their own");
  }
  return config;
}

RetNetConfig ReadConfig(const Checkpoint& checkpoint) {
  const HfConfig hf = HfConfig::Parse(checkpoint.SideFile("config.json"));
  RetNetConfig config = hf.Has("decoder_embed_dim") ? ReadTorchscale(hf) : ReadFla(hf);
  if (config.key_size % 2 != 0 || config.key_size > kMaxRetentionKey) {
    throw Error(
        Code::kUnsupported,
        fmt::format("config.json: keys of {} channels a head; Tome runs even sizes up to {}",
                    config.key_size, kMaxRetentionKey));
  }
  if (!(config.eps > 0) || !std::isfinite(config.eps)) {
    throw Error(Code::kCorrupt,
                fmt::format("config.json: the norms' epsilon is {}; it must be a positive number",
                            config.eps));
  }
  return config;
}

// Returns ln γ of each head, γ = 1 − 2^(−5 − h). γ is computed in float, with which models are
// made: there it is 1 from h = 20 on.
std::vector<double> LogDecays(int64_t heads) {
  std::vector<double> decays;
  for (int64_t h = 0; h < heads; ++h) {
    const float gamma = 1.0F - std::exp2(-5.0F - static_cast<float>(h));
    decays.push_back(std::log(double{gamma}));
  }
  return decays;
}

std::vector<double> Frequencies(const RetNetConfig& config) {
  const int64_t pairs = config.key_size / 2;
  std::vector<double> frequencies;
  for (int64_t i = 0; i < pairs; ++i) {
    const auto of =
        static_cast<double>(config.torchscale ? std::max<int64_t>(pairs - 1, 1) : pairs);
    frequencies.push_back(std::pow(10000.0, -static_cast<double>(i) / of));
  }
  return frequencies;
}

struct Layer {
  Norm retention_norm;           // [d]
  Linear q, k;                   // [H·K, d]
  Linear v, gate;                // [H·value size, d]
  std::vector<float> head_norm;  // [value size], or empty: all ones
  Linear output;                 // [d, H·value size]
  Norm ffn_norm;                 // [d]
  Linear ffn_gate, ffn_up;       // [F, d]
  Linear ffn_down;               // [d, F]
};

class RetNet final : public Model {
 public:
  RetNet(std::shared_ptr<const Checkpoint> checkpoint, const Architecture& architecture,
         const Compute& compute)
      : checkpoint_(std::move(checkpoint)),
        config_(ReadConfig(*checkpoint_)),
        log_decays_(LogDecays(config_.heads)),
        frequencies_(Frequencies(config_)) {
    Weights weights(*checkpoint_, architecture, compute);
    BindWeights(weights);
    const RetNetConfig& c = config_;
    const int64_t layer =
        c.width * (c.heads * (2 * c.key_size + 3 * c.value_size) + 3 * c.ffn_width);
    facts_ = {.architecture = std::string(architecture.name),
              .vocabulary = c.vocabulary,
              .trained_tokens = kAnyLength,
              .native_tokens = kAnyLength,
              .lengthened_by = {},
              .layers = c.layers,
              .parameters = weights.parameters(),
              .linear_parameters = c.layers * layer + c.vocabulary * c.width,
              .linear = weights.linear(),
              .head = weights.head(),
              .kv = {},
              .recurrent = {.layers = c.layers,
                            .window = 0,
                            .state = c.heads * RetentionHeadFloats(c.key_size, c.value_size)}};
  }

  const ModelFacts& facts() const override { return facts_; }

  Memory NewMemory(const MemoryOptions& options) const override {
    return NewRecurrentMemory(facts_, options);
  }

  Tensor Forward(Batch batch, const Compute& compute) const override {
    const RetNetConfig& c = config_;
    const int64_t tokens = BeginForward(batch, c.vocabulary);
    const RopeTable angles = AnglesOf(batch);
    const RotateArgs rotate{
        .table = angles,
        .rotary = c.key_size,
        .layout = c.torchscale ? RopeLayout::kInterleaved : RopeLayout::kHalfSplit,
        .head_size = c.key_size};
    const auto key_scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c.key_size)));
    Scratch scratch;
    Tensor x = Embed(batch, embedding_, compute);  // residual stream [T, d]
    if (c.embedding_scale != 1) Scale(x, c.embedding_scale);
    if (embedding_norm_) Normalize(*embedding_norm_, x, x, compute);
    Tensor q(DType::kF32, {tokens, c.heads * c.key_size}, Fill::kNone);
    Tensor k(DType::kF32, {tokens, c.heads * c.key_size}, Fill::kNone);
    Tensor v(DType::kF32, {tokens, c.heads * c.value_size}, Fill::kNone);
    Tensor gate(DType::kF32, {tokens, c.heads * c.value_size}, Fill::kNone);
    Tensor hidden(DType::kF32, {tokens, c.ffn_width}, Fill::kNone);
    Tensor activated(DType::kF32, {c.exact_gelu ? tokens : 0, c.ffn_width}, Fill::kNone);
    for (int64_t l = 0; l < c.layers; ++l) {
      const Layer& layer = layers_[static_cast<size_t>(l)];
      Project(c.norm_first ? &layer.retention_norm : nullptr, x,
              {{.linear = layer.q, .y = q},
               {.linear = layer.k, .y = k},
               {.linear = layer.v, .y = v},
               {.linear = layer.gate, .y = gate}},
              scratch, compute);
      Rotate(q, rotate, compute);
      Rotate(k, rotate, compute);
      Scale(k, key_scale);
      Retain(batch, l, q, k, v, compute);
      compute.kernels.retention_gate(
          {.x = v.floats().data(),
           .gate = gate.floats().data(),
           .weight = layer.head_norm.empty() ? nullptr : layer.head_norm.data(),
           .y = v.floats().data(),
           .tokens = tokens,
           .heads = c.heads,
           .width = c.value_size,
           .eps = c.eps},
          compute.threads);
      AddBlock(layer.retention_norm, layer.output, v, x, scratch, compute);
      FeedForward(layer, x, hidden, activated, scratch, compute);
      AddBlock(layer.ffn_norm, layer.ffn_down, hidden, x, scratch, compute);
    }
    FinishForward(batch);
    return Head(batch, x, output_norm_, head_, scratch, compute);
  }

 private:
  RopeTable AnglesOf(Batch batch) const {
    RopeTable table;
    for (const BatchItem& item : batch) {
      const int64_t first = item.memory->length();
      for (int64_t t = 0; t < static_cast<int64_t>(item.tokens.size()); ++t) {
        for (const double frequency : frequencies_) {
          const double angle = static_cast<double>(first + t) * frequency;
          table.cos.push_back(static_cast<float>(std::cos(angle)));
          table.sin.push_back(static_cast<float>(std::sin(angle)));
        }
      }
    }
    return table;
  }

  // Replaces v with the output of retention.
  void Retain(Batch batch, int64_t layer, const Tensor& q, const Tensor& k, Tensor& v,
              const Compute& compute) const {
    const RetNetConfig& c = config_;
    std::vector<RetentionSequence> sequences;
    int64_t row = 0;
    for (const BatchItem& item : batch) {
      Recurrent& memory = item.memory->recurrent();
      const auto tokens = static_cast<int64_t>(item.tokens.size());
      float* const values = v.floats().data() + row * c.heads * c.value_size;
      sequences.push_back({.q = q.floats().data() + row * c.heads * c.key_size,
                           .k = k.floats().data() + row * c.heads * c.key_size,
                           .v = values,
                           .out = values,
                           .state = memory.View(layer).state.data(),
                           .next = memory.Next(layer).state.data(),
                           .tokens = tokens,
                           .first_position = memory.length()});
      row += tokens;
    }
    compute.kernels.retention({.sequences = sequences,
                               .heads = c.heads,
                               .key_size = c.key_size,
                               .value_size = c.value_size,
                               .log_decay = log_decays_,
                               .normalize = c.torchscale},
                              compute.threads);
  }

  // Computes x = x + output(y) where norms come first, else x = norm(α x + output(y)).
  void AddBlock(const Norm& norm, const Linear& output, const Tensor& y, Tensor& x,
                Scratch& scratch, const Compute& compute) const {
    if (config_.residual_scale != 1) Scale(x, config_.residual_scale);
    Project(y, {{.linear = output, .y = x, .add = true}}, scratch, compute);
    if (!config_.norm_first) Normalize(norm, x, x, compute);
  }

  void FeedForward(const Layer& layer, const Tensor& x, Tensor& hidden, Tensor& activated,
                   Scratch& scratch, const Compute& compute) const {
    const Norm* const norm = config_.norm_first ? &layer.ffn_norm : nullptr;
    if (!config_.exact_gelu) {
      Project(norm, x,
              {{.linear = layer.ffn_up,
                .y = hidden,
                .gate = &layer.ffn_gate,
                .activation = Activation::kSilu}},
              scratch, compute);
      return;
    }
    Project(norm, x,
            {{.linear = layer.ffn_up, .y = hidden}, {.linear = layer.ffn_gate, .y = activated}},
            scratch, compute);
    const int64_t width = config_.ffn_width;
    compute.threads.ParallelFor(x.shape()[0], [&](int64_t t, int) {
      const float* const a = activated.floats().data() + t * width;
      float* const h = hidden.floats().data() + t * width;
      constexpr float kRootHalf = 0.70710678F;
      for (int64_t i = 0; i < width; ++i) {
        h[i] *= 0.5F * a[i] * (1 + std::erf(a[i] * kRootHalf));
      }
    });
  }

  void BindWeights(Weights& weights) {
    const RetNetConfig& c = config_;
    const auto norm = [&](std::string_view name, int64_t layer) {
      return weights.BindNorm(name, layer, c.width, c.eps);
    };
    embedding_ = weights.Matrix("token_embd.weight", 0, c.vocabulary, c.width);
    if (c.embedding_norm) embedding_norm_ = norm("token_embd_norm.weight", 0);
    if (c.norm_first) output_norm_ = norm("output_norm.weight", 0);
    head_ = weights.BindHead(c.vocabulary, c.width);
    const int64_t keys = c.heads * c.key_size;
    const int64_t values = c.heads * c.value_size;
    for (int64_t l = 0; l < c.layers; ++l) {
      layers_.push_back({
          .retention_norm = norm("blk.{}.attn_norm.weight", l),
          .q = weights.BindLinear("blk.{}.attn_q", l, keys, c.width),
          .k = weights.BindLinear("blk.{}.attn_k", l, keys, c.width),
          .v = weights.BindLinear("blk.{}.attn_v", l, values, c.width),
          .gate = weights.BindLinear("blk.{}.attn_gate", l, values, c.width),
          .head_norm = c.torchscale
                           ? std::vector<float>()
                           : weights.Vector("blk.{}.attn_sub_norm.weight", l, c.value_size),
          .output = weights.BindLinear("blk.{}.attn_output", l, c.width, values),
          .ffn_norm = norm("blk.{}.ffn_norm.weight", l),
          .ffn_gate = weights.BindLinear("blk.{}.ffn_gate", l, c.ffn_width, c.width),
          .ffn_up = weights.BindLinear("blk.{}.ffn_up", l, c.ffn_width, c.width),
          .ffn_down = weights.BindLinear("blk.{}.ffn_down", l, c.width, c.ffn_width),
      });
    }
  }

  std::shared_ptr<const Checkpoint> checkpoint_;  // owns the bytes of the views below
  RetNetConfig config_;
  std::vector<double> log_decays_;   // [H]
  std::vector<double> frequencies_;  // [K / 2]
  ModelFacts facts_;
  TensorView embedding_;  // [V, d]
  std::optional<Norm> embedding_norm_;
  std::vector<Layer> layers_;
  Norm output_norm_;  // empty where norms come after their blocks
  Linear head_;       // [V, d]
};

template <Architecture (*Make)()>
std::unique_ptr<Model> Load(std::shared_ptr<const Checkpoint> checkpoint, const Compute& compute) {
  return std::make_unique<RetNet>(std::move(checkpoint), Make(), compute);
}

}  // namespace

Architecture TorchscaleRetNetArchitecture() {
  return {.name = "retnet",
          .hf_model_type = "retnet",
          .hf_class = "RetNetDecoder",
          .tensors = kTorchscaleTensors,
          .load = Load<TorchscaleRetNetArchitecture>,
          .hf_key = "decoder_embed_dim",
          .has_gguf = false};
}

Architecture FlaRetNetArchitecture() {
  return {.name = "retnet",
          .hf_model_type = "retnet",
          .hf_class = "RetNetForCausalLM",
          .tensors = kFlaTensors,
          .load = Load<FlaRetNetArchitecture>,
          .hf_key = "hidden_size",
          .has_gguf = false};
}

}  // namespace tome
