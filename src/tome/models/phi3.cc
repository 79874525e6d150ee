#include "tome/models/phi3.h"

#include <array>
#include <utility>
#include <vector>

#include "tome/models/decoder_config.h"
#include "tome/models/layers/attention.h"
#include "tome/models/layers/decoder.h"
#include "tome/models/layers/feed_forward.h"
#include "tome/models/layers/linear.h"
#include "tome/models/layers/norm.h"
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

// The letters of shapes are those of DecoderConfig.
struct Layer {
  Norm attention_norm;  // [d]
  Linear q, k, v;       // [H·D, d], [G·D, d], [G·D, d]: consecutive rows of the tensor attn_qkv
  Linear output;        // [d, H·D]
  Norm ffn_norm;        // [d]
  FeedForward ffn;      // the tensor ffn_up has the rows of `gate`, then the rows of `up`
};

class Phi3 final : public Model {
 public:
  Phi3(std::shared_ptr<const Checkpoint> checkpoint, const Compute& compute)
      : checkpoint_(std::move(checkpoint)), config_(ReadDecoderConfig(*checkpoint_, "phi3")) {
    const Architecture architecture = Phi3Architecture();
    Weights weights(*checkpoint_, architecture, compute);
    BindWeights(weights);
    facts_ = FactsOf(config_, "phi3", weights);
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
      Project(attended, {{.linear = layer.output, .y = x, .add = true}}, scratch, compute);
      AddFeedForward(layer.ffn_norm, layer.ffn, x, hidden, scratch, compute);
    }
    FinishForward(batch);
    return Head(batch, x, output_norm_, head_, scratch, compute);
  }

 private:
  void BindWeights(Weights& weights) {
    const DecoderConfig& c = config_;
    const int64_t q_width = c.heads * c.head_size;
    const int64_t kv_width = c.kv_heads * c.head_size;
    const auto norm = [&](std::string_view name, int64_t layer) {
      return weights.BindNorm(name, layer, c.width, c.norm_eps);
    };
    const auto qkv = [&](int64_t layer, int64_t first, int64_t rows) {
      return weights.BindRows("blk.{}.attn_qkv", layer, q_width + 2 * kv_width, c.width, first,
                              rows);
    };
    const auto gate_up = [&](int64_t layer, int64_t first) {
      return weights.BindRows("blk.{}.ffn_up", layer, 2 * c.ffn_width, c.width, first, c.ffn_width);
    };
    embedding_ = weights.Matrix("token_embd.weight", 0, c.vocabulary, c.width);
    output_norm_ = norm("output_norm.weight", 0);
    head_ = weights.BindHead(c.vocabulary, c.width);
    for (int64_t l = 0; l < c.layers; ++l) {
      layers_.push_back({
          .attention_norm = norm("blk.{}.attn_norm.weight", l),
          .q = qkv(l, 0, q_width),
          .k = qkv(l, q_width, kv_width),
          .v = qkv(l, q_width + kv_width, kv_width),
          .output = weights.BindLinear("blk.{}.attn_output", l, c.width, q_width),
          .ffn_norm = norm("blk.{}.ffn_norm.weight", l),
          .ffn = {.gate = gate_up(l, 0),
                  .up = gate_up(l, c.ffn_width),
                  .down = weights.BindLinear("blk.{}.ffn_down", l, c.width, c.ffn_width)},
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
  return std::make_unique<Phi3>(std::move(checkpoint), compute);
}

}  // namespace

Architecture Phi3Architecture() { return {"phi3", "phi3", "Phi3ForCausalLM", kTensors, Load}; }

}  // namespace tome
