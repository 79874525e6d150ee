#include "tome/models/llama.h"

#include <array>
#include <optional>
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
#include "tome/models/registry.h"
#include "tome/models/weights.h"

namespace tome {
namespace {

using enum TensorTransform;

// Names of all four families; the rows of Q and K are re-ordered in GGUF files of `llama` only.
constexpr std::array<TensorName, 18> Tensors(TensorTransform query_rows, TensorTransform key_rows) {
  return {{
      {"token_embd.weight", "model.embed_tokens.weight"},
      {"output_norm.weight", "model.norm.weight"},
      {"output.weight", "lm_head.weight"},
      {"blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight"},
      {"blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight", query_rows},
      {"blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight", key_rows},
      {"blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight"},
      {"blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight"},
      {"blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias", query_rows},
      {"blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias", key_rows},
      {"blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias"},
      {"blk.{}.attn_output.bias", "model.layers.{}.self_attn.o_proj.bias"},
      {"blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight"},
      {"blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight"},
      {"blk.{}.ffn_norm.weight", "model.layers.{}.post_attention_layernorm.weight"},
      {"blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight"},
      {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight"},
      {"blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight"},
  }};
}
constexpr std::array kInterleavedTensors = Tensors(kInterleaveQueryRows, kInterleaveKeyRows);
constexpr std::array kTensors = Tensors(kNone, kNone);

struct Layer {
  Norm attention_norm;         // [d]
  Linear q, k, v;              // [H·D, d], [G·D, d], [G·D, d]
  std::optional<Norm> q_norm;  // [D], Qwen3
  std::optional<Norm> k_norm;  // [D]
  Linear output;               // [d, H·D]
  Norm ffn_norm;               // [d]
  FeedForward ffn;
};

class Llama final : public Model {
 public:
  Llama(std::shared_ptr<const Checkpoint> checkpoint, const Architecture& architecture,
        const Compute& compute)
      : checkpoint_(std::move(checkpoint)),
        config_(ReadDecoderConfig(*checkpoint_, std::string(architecture.name))) {
    Weights weights(*checkpoint_, architecture, compute);
    BindWeights(weights);
    // Re-ordered rows of Q and K are what GGUF files of `llama` have.
    const bool interleaved = checkpoint_->container() == Container::kGguf &&
                             architecture.tensors.data() == kInterleavedTensors.data();
    rope_layout_ = interleaved ? RopeLayout::kInterleaved : RopeLayout::kHalfSplit;
    facts_ = FactsOf(config_, std::string(architecture.name), weights);
  }

  const ModelFacts& facts() const override { return facts_; }

  Memory NewMemory(const MemoryOptions& options) const override {
    return NewDecoderMemory(config_, facts_, options);
  }

  Tensor Forward(Batch batch, const Compute& compute) const override {
    const DecoderConfig& c = config_;
    const int64_t tokens = BeginForward(batch, c.vocabulary);
    BatchRotation rotation(batch, c.rope, rope_layout_, c.head_size);
    Scratch scratch;
    Tensor x = Embed(batch, embedding_, compute);  // residual stream [T, d]
    Tensor q(DType::kF32, {tokens, c.heads * c.head_size}, Fill::kNone);
    Tensor k(DType::kF32, {tokens, c.kv_heads * c.head_size}, Fill::kNone);
    Tensor v(DType::kF32, {tokens, c.kv_heads * c.head_size}, Fill::kNone);
    Tensor attended(DType::kF32, {tokens, c.heads * c.head_size}, Fill::kNone);
    Tensor hidden(DType::kF32, {tokens, c.ffn_width}, Fill::kNone);
    for (int64_t l = 0; l < c.layers; ++l) {
      const Layer& layer = layers_[static_cast<size_t>(l)];
      Apply(&layer.attention_norm, x,
            {{.linear = layer.q, .y = q}, {.linear = layer.k, .y = k}, {.linear = layer.v, .y = v}},
            scratch, compute);
      if (layer.q_norm) Apply(*layer.q_norm, q, q, compute);
      if (layer.k_norm) Apply(*layer.k_norm, k, k, compute);
      Attend(batch, l, AttentionShapeOf(c, l), rotation.Turn(q, k, v, compute),
             attended.floats().data(), scratch, compute);
      Apply(nullptr, attended, {{.linear = layer.output, .y = x, .add = true}}, scratch, compute);
      Apply(layer.ffn_norm, layer.ffn, x, hidden, x, true, scratch, compute);
    }
    FinishForward(batch);
    return Head(batch, x, output_norm_, head_, scratch, compute);
  }

 private:
  void BindWeights(Weights& weights) {
    const DecoderConfig& c = config_;
    const auto norm = [&](std::string_view name, int64_t layer, int64_t size) {
      return weights.BindNorm(name, layer, size, c.norm_eps);
    };
    const auto head_norm = [&](std::string_view name, int64_t layer) {
      return weights.Has(name, layer) ? std::optional(norm(name, layer, c.head_size))
                                      : std::nullopt;
    };
    embedding_ = weights.Matrix("token_embd.weight", 0, c.vocabulary, c.width);
    output_norm_ = norm("output_norm.weight", 0, c.width);
    head_ = weights.BindHead(c.vocabulary, c.width);
    for (int64_t l = 0; l < c.layers; ++l) {
      layers_.push_back({
          .attention_norm = norm("blk.{}.attn_norm.weight", l, c.width),
          .q = weights.BindLinear("blk.{}.attn_q", l, c.heads * c.head_size, c.width),
          .k = weights.BindLinear("blk.{}.attn_k", l, c.kv_heads * c.head_size, c.width),
          .v = weights.BindLinear("blk.{}.attn_v", l, c.kv_heads * c.head_size, c.width),
          .q_norm = head_norm("blk.{}.attn_q_norm.weight", l),
          .k_norm = head_norm("blk.{}.attn_k_norm.weight", l),
          .output = weights.BindLinear("blk.{}.attn_output", l, c.width, c.heads * c.head_size),
          .ffn_norm = norm("blk.{}.ffn_norm.weight", l, c.width),
          .ffn = {.gate = weights.BindLinear("blk.{}.ffn_gate", l, c.ffn_width, c.width),
                  .up = weights.BindLinear("blk.{}.ffn_up", l, c.ffn_width, c.width),
                  .down = weights.BindLinear("blk.{}.ffn_down", l, c.width, c.ffn_width)},
      });
    }
  }

  std::shared_ptr<const Checkpoint> checkpoint_;  // owns what the views below show
  DecoderConfig config_;
  ModelFacts facts_;
  RopeLayout rope_layout_ = RopeLayout::kHalfSplit;
  TensorView embedding_;  // [V, d]
  std::vector<Layer> layers_;
  Norm output_norm_;
  Linear head_;  // [V, d]
};

template <Architecture (*Make)()>
std::unique_ptr<Model> Load(std::shared_ptr<const Checkpoint> checkpoint, const Compute& compute) {
  return std::make_unique<Llama>(std::move(checkpoint), Make(), compute);
}

}  // namespace

Architecture LlamaArchitecture() {
  return {"llama", "llama", "LlamaForCausalLM", kInterleavedTensors, Load<LlamaArchitecture>};
}
Architecture MistralArchitecture() {
  return {"llama", "mistral", "MistralForCausalLM", kInterleavedTensors, Load<MistralArchitecture>};
}
Architecture Qwen2Architecture() {
  return {"qwen2", "qwen2", "Qwen2ForCausalLM", kTensors, Load<Qwen2Architecture>};
}
Architecture Qwen3Architecture() {
  return {"qwen3", "qwen3", "Qwen3ForCausalLM", kTensors, Load<Qwen3Architecture>};
}

}  // namespace tome
