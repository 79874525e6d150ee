#include "tome/models/jamba.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "tome/models/jamba_config.h"
#include "tome/models/layers/attention.h"
#include "tome/models/layers/decoder.h"
#include "tome/models/layers/experts.h"
#include "tome/models/layers/feed_forward.h"
#include "tome/models/layers/mamba_mixer.h"
#include "tome/models/layers/token_rows.h"
#include "tome/models/weights.h"

namespace tome {
namespace {

using enum TensorTransform;

constexpr std::array<TensorName, 28> kTensors{{
    {"token_embd.weight", "model.embed_tokens.weight"},
    {"output_norm.weight", "model.final_layernorm.weight"},
    {"output.weight", "lm_head.weight"},
    {"blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight"},
    {"blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight"},
    {"blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight"},
    {"blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight"},
    {"blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight"},
    {"blk.{}.ssm_in.weight", "model.layers.{}.mamba.in_proj.weight"},
    {"blk.{}.ssm_conv1d.weight", "model.layers.{}.mamba.conv1d.weight"},
    {"blk.{}.ssm_conv1d.bias", "model.layers.{}.mamba.conv1d.bias"},
    {"blk.{}.ssm_x.weight", "model.layers.{}.mamba.x_proj.weight"},
    {"blk.{}.ssm_dt_norm.weight", "model.layers.{}.mamba.dt_layernorm.weight"},
    {"blk.{}.ssm_b_norm.weight", "model.layers.{}.mamba.b_layernorm.weight"},
    {"blk.{}.ssm_c_norm.weight", "model.layers.{}.mamba.c_layernorm.weight"},
    {"blk.{}.ssm_dt.weight", "model.layers.{}.mamba.dt_proj.weight"},
    {"blk.{}.ssm_dt.bias", "model.layers.{}.mamba.dt_proj.bias"},
    {"blk.{}.ssm_a", "model.layers.{}.mamba.A_log", kNegativeExp},
    {"blk.{}.ssm_d", "model.layers.{}.mamba.D"},
    {"blk.{}.ssm_out.weight", "model.layers.{}.mamba.out_proj.weight"},
    {"blk.{}.ffn_norm.weight", "model.layers.{}.pre_ff_layernorm.weight"},
    {"blk.{}.ffn_gate.weight", "model.layers.{}.feed_forward.gate_proj.weight"},
    {"blk.{}.ffn_up.weight", "model.layers.{}.feed_forward.up_proj.weight"},
    {"blk.{}.ffn_down.weight", "model.layers.{}.feed_forward.down_proj.weight"},
    {"blk.{}.ffn_gate_inp.weight", "model.layers.{}.feed_forward.router.weight"},
    {"blk.{}.ffn_gate_exps.weight", "model.layers.{}.feed_forward.experts.{e}.gate_proj.weight"},
    {"blk.{}.ffn_up_exps.weight", "model.layers.{}.feed_forward.experts.{e}.up_proj.weight"},
    {"blk.{}.ffn_down_exps.weight", "model.layers.{}.feed_forward.experts.{e}.down_proj.weight"},
}};

struct AttentionWeights {
  Linear q, k, v;  // [H·D, d], [G·D, d], [G·D, d]
  Linear output;   // [d, H·D]
};

struct Layer {
  Norm norm;  // [d]
  std::optional<AttentionWeights> attention;
  std::optional<MambaMixer> mamba;  // in a layer without attention
  int64_t memory = 0;               // number of the layer among those of its kind
  Norm ffn_norm;                    // [d]
  std::optional<FeedForward> ffn;
  std::optional<Experts> experts;  // in a layer without ffn
};

class Jamba final : public Model {
 public:
  Jamba(std::shared_ptr<const Checkpoint> checkpoint, const Compute& compute)
      : checkpoint_(std::move(checkpoint)), config_(ReadJambaConfig(*checkpoint_)) {
    const Architecture architecture = JambaArchitecture();
    Weights weights(*checkpoint_, architecture, compute);
    BindWeights(weights);
    const auto attending =
        static_cast<int64_t>(std::count(config_.attends.begin(), config_.attends.end(), true));
    facts_ = FactsOf({.architecture = "jamba",
                      .vocabulary = config_.vocabulary,
                      .context = config_.context,
                      .layers = config_.layers,
                      .recurrent = RecurrentShapeOf(config_.mamba, config_.layers - attending)},
                     weights);
    facts_.kv = {.layers = attending, .kv_heads = config_.kv_heads, .head_size = config_.head_size};
    facts_.attention_width = attending * config_.heads * config_.head_size;
  }

  const ModelFacts& facts() const override { return facts_; }

  Memory NewMemory(const MemoryOptions& options) const override {
    return NewRecurrentMemory(facts_, options);
  }

  Tensor Forward(Batch batch, const Compute& compute) const override {
    const JambaConfig& c = config_;
    const int64_t tokens = BeginForward(batch, c.vocabulary);
    Scratch scratch;
    Tensor x = Embed(batch, embedding_, compute);  // residual stream [T, d]
    Tensor q(DType::kF32, {tokens, c.heads * c.head_size}, Fill::kNone);
    Tensor k(DType::kF32, {tokens, c.kv_heads * c.head_size}, Fill::kNone);
    Tensor v(DType::kF32, {tokens, c.kv_heads * c.head_size}, Fill::kNone);
    Tensor attended(DType::kF32, {tokens, c.heads * c.head_size}, Fill::kNone);
    Tensor hidden(DType::kF32, {tokens, c.ffn_width}, Fill::kNone);
    MambaRows rows(tokens, c.mamba);
    const AttentionShape shape{.heads = c.heads,
                               .kv_heads = c.kv_heads,
                               .head_size = c.head_size,
                               .scale = 1 / std::sqrt(static_cast<float>(c.head_size))};
    for (const Layer& layer : layers_) {
      if (layer.attention) {
        const AttentionWeights& attention = *layer.attention;
        Project(&layer.norm, x,
                {{.linear = attention.q, .y = q},
                 {.linear = attention.k, .y = k},
                 {.linear = attention.v, .y = v}},
                scratch, compute);
        Attend(batch, layer.memory, shape,
               {.q = q.floats().data(), .k = k.floats().data(), .v = v.floats().data()},
               attended.floats().data(), scratch, compute);
        Project(attended, {{.linear = attention.output, .y = x, .add = true}}, scratch, compute);
      } else {
        AddMamba(layer.norm, *layer.mamba, {.batch = batch, .state = layer.memory, .rows = rows}, x,
                 scratch, compute);
      }
      if (layer.ffn) {
        AddFeedForward(layer.ffn_norm, *layer.ffn, x, hidden, scratch, compute);
      } else {
        AddExperts(layer.ffn_norm, *layer.experts, x, scratch, compute);
      }
    }
    Tensor logits = Head(batch, x, output_norm_, head_, scratch, compute);
    FinishForward(batch);
    return logits;
  }

 private:
  void BindWeights(Weights& weights) {
    const JambaConfig& c = config_;
    const auto norm = [&](std::string_view name, int64_t layer) {
      return weights.BindNorm(name, layer, c.width, c.norm_eps);
    };
    embedding_ = weights.Matrix("token_embd.weight", 0, c.vocabulary, c.width);
    output_norm_ = norm("output_norm.weight", 0);
    head_ = weights.BindHead(c.vocabulary, c.width);
    int64_t attending = 0;
    for (int64_t l = 0; l < c.layers; ++l) {
      Layer layer{.norm = norm("blk.{}.attn_norm.weight", l),
                  .attention = {},
                  .mamba = {},
                  .ffn_norm = norm("blk.{}.ffn_norm.weight", l),
                  .ffn = {},
                  .experts = {}};
      if (c.attends[static_cast<size_t>(l)]) {
        layer.attention = BindAttention(weights, l);
        layer.memory = attending++;
      } else {
        layer.mamba = BindMambaMixer(weights, l, c.width, c.mamba, c.norm_eps);
        layer.memory = l - attending;
      }
      if (c.mixes[static_cast<size_t>(l)]) {
        layer.experts = BindExperts(weights, l);
      } else {
        layer.ffn = {.gate = weights.BindLinear("blk.{}.ffn_gate", l, c.ffn_width, c.width),
                     .up = weights.BindLinear("blk.{}.ffn_up", l, c.ffn_width, c.width),
                     .down = weights.BindLinear("blk.{}.ffn_down", l, c.width, c.ffn_width)};
      }
      layers_.push_back(std::move(layer));
    }
  }

  AttentionWeights BindAttention(Weights& weights, int64_t layer) const {
    const JambaConfig& c = config_;
    const int64_t kv_width = c.kv_heads * c.head_size;
    return {
        .q = weights.BindLinear("blk.{}.attn_q", layer, c.heads * c.head_size, c.width),
        .k = weights.BindLinear("blk.{}.attn_k", layer, kv_width, c.width),
        .v = weights.BindLinear("blk.{}.attn_v", layer, kv_width, c.width),
        .output = weights.BindLinear("blk.{}.attn_output", layer, c.width, c.heads * c.head_size)};
  }

  Experts BindExperts(Weights& weights, int64_t layer) const {
    const JambaConfig& c = config_;
    Experts experts{.router = weights.BindLinear("blk.{}.ffn_gate_inp", layer, c.experts, c.width),
                    .networks = {},
                    .used = c.experts_used};
    for (int64_t e = 0; e < c.experts; ++e) {
      const ExpertIndex expert{.expert = e, .experts = c.experts, .used = c.experts_used};
      experts.networks.push_back(
          {.gate = weights.BindExpert("blk.{}.ffn_gate_exps", layer, expert, c.ffn_width, c.width),
           .up = weights.BindExpert("blk.{}.ffn_up_exps", layer, expert, c.ffn_width, c.width),
           .down =
               weights.BindExpert("blk.{}.ffn_down_exps", layer, expert, c.width, c.ffn_width)});
    }
    return experts;
  }

  std::shared_ptr<const Checkpoint> checkpoint_;  // owns the bytes of the views below
  JambaConfig config_;
  ModelFacts facts_;
  TensorView embedding_;  // [V, d]
  std::vector<Layer> layers_;
  Norm output_norm_;
  Linear head_;  // [V, d]
};

std::unique_ptr<Model> Load(std::shared_ptr<const Checkpoint> checkpoint, const Compute& compute) {
  return std::make_unique<Jamba>(std::move(checkpoint), compute);
}

}  // namespace

Architecture JambaArchitecture() { return {"jamba", "jamba", "JambaForCausalLM", kTensors, Load}; }

}  // namespace tome
