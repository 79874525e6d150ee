#include "tome/models/phi3.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "tome/models/decoder_config.h"
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

constexpr std::array<TensorName, 9> kTensors{{
    {"token_embd.weight", "model.embed_tokens.weight"},
    {"output_norm.weight", "model.norm.weight"},
    {"output.weight", "lm_head.weight"},
    {"blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight"},
    {"blk.{}.attn_qkv.weight", "model.layers.{}.self_attn.qkv_proj.weight"},
    {"blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight"},
    {"blk.{}.ffn_norm.weight", "model.layers.{}.post_attention_layernorm.weight"},
    {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.gate_up_proj.weight"},
    {"blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight"},
}};

struct Layer {
  Norm attention_norm;  // [d]
  Linear qkv;           // [(H + 2G)·D, d]: the rows of Q, then K, then V
  Linear output;        // [d, H·D]
  Norm ffn_norm;        // [d]
  Linear gate_up;       // [2F, d]: the rows of gate, then up
  Linear down;          // [d, F]
};

// Columns [begin, begin + to.width) of every row.
void CopyColumns(const Tensor& from, int64_t begin, Tensor& to) {
  const int64_t width = to.shape()[1];
  const float* source = from.floats().data() + begin;
  float* target = to.floats().data();
  for (int64_t t = 0; t < to.shape()[0]; ++t) {
    target = std::copy_n(source + t * from.shape()[1], width, target);
  }
}

class Phi3 final : public Model {
 public:
  explicit Phi3(std::shared_ptr<const Checkpoint> checkpoint)
      : checkpoint_(std::move(checkpoint)), config_(ReadDecoderConfig(*checkpoint_, "phi3")) {
    const Architecture architecture = Phi3Architecture();
    const Weights weights(*checkpoint_, architecture);
    BindWeights(weights);
    facts_ = FactsOf(config_, "phi3", weights.parameters());
  }

  const ModelFacts& facts() const override { return facts_; }

  Memory NewMemory(const MemoryOptions& options) const override {
    return NewDecoderMemory(config_, options);
  }

  Tensor Forward(Batch batch, const Compute& compute) const override {
    const DecoderConfig& c = config_;
    const int64_t tokens = BeginForward(batch, c.vocabulary);
    const int64_t q_width = c.heads * c.head_size;
    const int64_t kv_width = c.kv_heads * c.head_size;
    const RopeTable angles = RopeTableOf(batch, c.rope);
    const RotateArgs rotate{.table = angles,
                            .rotary = c.rope.dimensions,
                            .layout = RopeLayout::kHalfSplit,
                            .head_size = c.head_size};
    Tensor x = Embed(batch, embedding_);       // residual stream [T, d]
    Tensor u(DType::kF32, {tokens, c.width});  // what a block reads, and what it adds
    Tensor qkv(DType::kF32, {tokens, q_width + 2 * kv_width});
    Tensor q(DType::kF32, {tokens, q_width});
    Tensor k(DType::kF32, {tokens, kv_width});
    Tensor v(DType::kF32, {tokens, kv_width});
    Tensor attended(DType::kF32, {tokens, q_width});
    Tensor gate_up(DType::kF32, {tokens, 2 * c.ffn_width});
    Tensor hidden(DType::kF32, {tokens, c.ffn_width});
    for (int64_t l = 0; l < c.layers; ++l) {
      const Layer& layer = layers_[static_cast<size_t>(l)];
      Apply(layer.attention_norm, x, u, compute);
      Apply(layer.qkv, u, qkv, compute);
      CopyColumns(qkv, 0, q);
      CopyColumns(qkv, q_width, k);
      CopyColumns(qkv, q_width + kv_width, v);
      Rotate(q, rotate, compute);
      Rotate(k, rotate, compute);
      Attend(batch, l, AttentionShapeOf(c, l),
             {.q = q.floats().data(), .k = k.floats().data(), .v = v.floats().data()},
             attended.floats().data(), compute);
      Apply(layer.output, attended, u, compute);
      AddTo(x, u);

      Apply(layer.ffn_norm, x, u, compute);
      Apply(layer.gate_up, u, gate_up, compute);
      compute.kernels.gated_activation({.gate = gate_up.floats().data(),
                                        .up = gate_up.floats().data() + c.ffn_width,
                                        .out = hidden.floats().data(),
                                        .rows = tokens,
                                        .width = c.ffn_width,
                                        .gate_stride = 2 * c.ffn_width,
                                        .up_stride = 2 * c.ffn_width,
                                        .activation = Activation::kSilu});
      Apply(layer.down, hidden, u, compute);
      AddTo(x, u);
    }
    FinishForward(batch);
    return Head(batch, x, output_norm_, head_, compute);
  }

 private:
  void BindWeights(const Weights& weights) {
    const DecoderConfig& c = config_;
    const int64_t q_width = c.heads * c.head_size;
    const int64_t kv_width = c.kv_heads * c.head_size;
    const auto norm = [&](std::string_view name, int64_t layer) {
      return weights.BindNorm(name, layer, c.width, c.norm_eps);
    };
    embedding_ = weights.Matrix("token_embd.weight", 0, c.vocabulary, c.width);
    output_norm_ = norm("output_norm.weight", 0);
    head_ = weights.BindHead(c.vocabulary, c.width);
    for (int64_t l = 0; l < c.layers; ++l) {
      layers_.push_back({
          .attention_norm = norm("blk.{}.attn_norm.weight", l),
          .qkv = weights.BindLinear("blk.{}.attn_qkv", l, q_width + 2 * kv_width, c.width),
          .output = weights.BindLinear("blk.{}.attn_output", l, c.width, q_width),
          .ffn_norm = norm("blk.{}.ffn_norm.weight", l),
          .gate_up = weights.BindLinear("blk.{}.ffn_up", l, 2 * c.ffn_width, c.width),
          .down = weights.BindLinear("blk.{}.ffn_down", l, c.width, c.ffn_width),
      });
    }
  }

  std::shared_ptr<const Checkpoint> checkpoint_;  // owns what the views below show
  DecoderConfig config_;
  ModelFacts facts_;
  TensorView embedding_;  // [V, d]
  std::vector<Layer> layers_;
  Norm output_norm_;
  Linear head_;  // [V, d]
};

std::unique_ptr<Model> Load(std::shared_ptr<const Checkpoint> checkpoint) {
  return std::make_unique<Phi3>(std::move(checkpoint));
}

}  // namespace

Architecture Phi3Architecture() { return {"phi3", "phi3", "Phi3ForCausalLM", kTensors, Load}; }

}  // namespace tome
