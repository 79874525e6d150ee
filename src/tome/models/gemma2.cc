#include "tome/models/gemma2.h"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "tome/models/decoder_config.h"
#include "tome/models/layers/attention.h"
#include "tome/models/layers/decoder.h"
#include "tome/models/layers/feed_forward.h"
#include "tome/models/layers/linear.h"
#include "tome/models/layers/norm.h"
#include "tome/models/layers/residual.h"
#include "tome/models/layers/rope.h"
#include "tome/models/layers/token_rows.h"
#include "tome/models/weights.h"

namespace tome {
namespace {

using enum TensorTransform;

constexpr std::array<TensorName, 14> kTensors{{
    {"token_embd.weight", "model.embed_tokens.weight"},
    {"output_norm.weight", "model.norm.weight", kPlusOne},
    {"output.weight", "lm_head.weight"},
    {"blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight", kPlusOne},
    {"blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight"},
    {"blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight"},
    {"blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight"},
    {"blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight"},
    {"blk.{}.post_attention_norm.weight", "model.layers.{}.post_attention_layernorm.weight",
     kPlusOne},
    {"blk.{}.ffn_norm.weight", "model.layers.{}.pre_feedforward_layernorm.weight", kPlusOne},
    {"blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight"},
    {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight"},
    {"blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight"},
    {"blk.{}.post_ffw_norm.weight", "model.layers.{}.post_feedforward_layernorm.weight", kPlusOne},
}};

struct Layer {
  Norm attention_norm;       // [d]
  Linear q, k, v;            // [H·D, d], [G·D, d], [G·D, d]
  Linear output;             // [d, H·D]
  Norm post_attention_norm;  // [d]
  Norm ffn_norm;             // [d]
  FeedForward ffn;
  Norm post_ffn_norm;  // [d]
};

// Sets the scale of attention scores, which GGUF files do not hold. It is 1/√D, except for the 27B
// model, which is known by its 46 layers and has 1/√(d / H).
void CompleteQueryScale(const Checkpoint& checkpoint, DecoderConfig& config) {
  constexpr int64_t kLayersOf27B = 46;
  if (checkpoint.container() != Container::kGguf || config.layers != kLayersOf27B ||
      checkpoint.metadata().Has("gemma2.attention.scale")) {
    return;
  }
  config.query_scale =
      1 / std::sqrt(static_cast<double>(config.width) / static_cast<double>(config.heads));
}

class Gemma2 final : public Model {
 public:
  Gemma2(std::shared_ptr<const Checkpoint> checkpoint, const Compute& compute)
      : checkpoint_(std::move(checkpoint)), config_(ReadDecoderConfig(*checkpoint_, "gemma2")) {
    CompleteQueryScale(*checkpoint_, config_);
    const Architecture architecture = Gemma2Architecture();
    Weights weights(*checkpoint_, architecture, compute);
    BindWeights(weights);
    facts_ = FactsOf(config_, "gemma2", weights);
  }

  const ModelFacts& facts() const override { return facts_; }

  Memory NewMemory(const MemoryOptions& options) const override {
    return NewDecoderMemory(config_, facts_, options);
  }

  Tensor Forward(Batch batch, const Compute& compute) const override {
    const DecoderConfig& c = config_;
    const int64_t tokens = BeginForward(batch, c.vocabulary);
    BatchRotation rotation(batch, c.rope, RopeLayout::kHalfSplit, c.head_size);
    Scratch scratch;
    Tensor x = Embed(batch, embedding_, compute);  // residual stream [T, d]
    Scale(x, std::sqrt(static_cast<float>(c.width)));
    Tensor u(DType::kF32, {tokens, c.width}, Fill::kNone);  // [T, d], output of a block
    Tensor q(DType::kF32, {tokens, c.heads * c.head_size}, Fill::kNone);
    Tensor k(DType::kF32, {tokens, c.kv_heads * c.head_size}, Fill::kNone);
    Tensor v(DType::kF32, {tokens, c.kv_heads * c.head_size}, Fill::kNone);
    Tensor attended(DType::kF32, {tokens, c.heads * c.head_size}, Fill::kNone);
    Tensor hidden(DType::kF32, {tokens, c.ffn_width}, Fill::kNone);
    for (int64_t l = 0; l < c.layers; ++l) {
      const Layer& layer = layers_[static_cast<size_t>(l)];
      Project(
          &layer.attention_norm, x,
          {{.linear = layer.q, .y = q}, {.linear = layer.k, .y = k}, {.linear = layer.v, .y = v}},
          scratch, compute);
      Attend(batch, l, AttentionShapeOf(c, l), rotation.Turn(q, k, v, compute),
             attended.floats().data(), scratch, compute);
      Project(attended, {{.linear = layer.output, .y = u}}, scratch, compute);
      Normalize(layer.post_attention_norm, u, u, compute);
      AddTo(x, u);
      ApplyFeedForward(layer.ffn_norm, layer.ffn, x, hidden, u, scratch, compute);
      Normalize(layer.post_ffn_norm, u, u, compute);
      AddTo(x, u);
    }
    FinishForward(batch);
    Tensor logits = Head(batch, x, output_norm_, head_, scratch, compute);
    if (c.logit_soft_cap > 0) {
      compute.kernels.soft_cap({.x = logits.floats().data(),
                                .size = logits.shape().elements(),
                                .cap = c.logit_soft_cap});
    }
    return logits;
  }

 private:
  void BindWeights(Weights& weights) {
    const DecoderConfig& c = config_;
    const auto norm = [&](std::string_view name, int64_t layer) {
      return weights.BindNorm(name, layer, c.width, c.norm_eps);
    };
    embedding_ = weights.Matrix("token_embd.weight", 0, c.vocabulary, c.width);
    output_norm_ = norm("output_norm.weight", 0);
    head_ = weights.BindHead(c.vocabulary, c.width);
    for (int64_t l = 0; l < c.layers; ++l) {
      layers_.push_back({
          .attention_norm = norm("blk.{}.attn_norm.weight", l),
          .q = weights.BindLinear("blk.{}.attn_q", l, c.heads * c.head_size, c.width),
          .k = weights.BindLinear("blk.{}.attn_k", l, c.kv_heads * c.head_size, c.width),
          .v = weights.BindLinear("blk.{}.attn_v", l, c.kv_heads * c.head_size, c.width),
          .output = weights.BindLinear("blk.{}.attn_output", l, c.width, c.heads * c.head_size),
          .post_attention_norm = norm("blk.{}.post_attention_norm.weight", l),
          .ffn_norm = norm("blk.{}.ffn_norm.weight", l),
          .ffn = {.gate = weights.BindLinear("blk.{}.ffn_gate", l, c.ffn_width, c.width),
                  .up = weights.BindLinear("blk.{}.ffn_up", l, c.ffn_width, c.width),
                  .down = weights.BindLinear("blk.{}.ffn_down", l, c.width, c.ffn_width),
                  .activation = Activation::kGeluTanh},
          .post_ffn_norm = norm("blk.{}.post_ffw_norm.weight", l),
      });
    }
  }

  std::shared_ptr<const Checkpoint> checkpoint_;  // owns the bytes of the views below
  DecoderConfig config_;
  ModelFacts facts_;
  TensorView embedding_;  // [V, d]
  std::vector<Layer> layers_;
  Norm output_norm_;
  Linear head_;  // [V, d]
};

std::unique_ptr<Model> Load(std::shared_ptr<const Checkpoint> checkpoint, const Compute& compute) {
  return std::make_unique<Gemma2>(std::move(checkpoint), compute);
}

}  // namespace

Architecture Gemma2Architecture() {
  return {"gemma2", "gemma2", "Gemma2ForCausalLM", kTensors, Load};
}

}  // namespace tome
