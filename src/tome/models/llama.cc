#include "tome/models/llama.h"

#include <array>
#include <utility>
#include <vector>

#include "tome/models/decoder_config.h"
#include "tome/models/layers/attention.h"
#include "tome/models/layers/decoder.h"
#include "tome/models/layers/llama_layer.h"
#include "tome/models/layers/rope.h"
#include "tome/models/layers/token_rows.h"
#include "tome/models/registry.h"

namespace tome {
namespace {

using enum TensorTransform;

constexpr std::array kInterleavedTensors = LlamaTensors(kInterleaveQueryRows, kInterleaveKeyRows);
constexpr std::array kTensors = LlamaTensors(kNone, kNone);

class Llama final : public Model {
 public:
  Llama(std::shared_ptr<const Checkpoint> checkpoint, const Architecture& architecture,
        const Compute& compute)
      : checkpoint_(std::move(checkpoint)),
        config_(ReadDecoderConfig(*checkpoint_, std::string(architecture.name))) {
    Weights weights(*checkpoint_, architecture, compute);
    BindWeights(weights);
    // Only GGUF files of `llama` have the rows of Q and K re-ordered.
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
      const LlamaLayer& layer = layers_[static_cast<size_t>(l)];
      Project(
          &layer.attention_norm, x,
          {{.linear = layer.q, .y = q}, {.linear = layer.k, .y = k}, {.linear = layer.v, .y = v}},
          scratch, compute);
      if (layer.q_norm) Normalize(*layer.q_norm, q, q, compute);
      if (layer.k_norm) Normalize(*layer.k_norm, k, k, compute);
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
    embedding_ = weights.Matrix("token_embd.weight", 0, c.vocabulary, c.width);
    output_norm_ = weights.BindNorm("output_norm.weight", 0, c.width, c.norm_eps);
    head_ = weights.BindHead(c.vocabulary, c.width);
    layers_ = BindLlamaLayers(c, weights);
  }

  std::shared_ptr<const Checkpoint> checkpoint_;  // owns the bytes of the views below
  DecoderConfig config_;
  ModelFacts facts_;
  RopeLayout rope_layout_ = RopeLayout::kHalfSplit;
  TensorView embedding_;  // [V, d]
  std::vector<LlamaLayer> layers_;
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
