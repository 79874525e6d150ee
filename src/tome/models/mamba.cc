#include "tome/models/mamba.h"

#include <array>
#include <utility>
#include <vector>

#include "tome/models/layers/decoder.h"
#include "tome/models/layers/mamba_mixer.h"
#include "tome/models/layers/token_rows.h"
#include "tome/models/state_space_config.h"
#include "tome/models/weights.h"

namespace tome {
namespace {

using enum TensorTransform;

// The authors' checkpoints differ from those of transformers by the name of the embedding alone.
constexpr std::array<TensorName, 13> Tensors(std::string_view embedding) {
  return {{
      {"token_embd.weight", embedding},
      {"output_norm.weight", "backbone.norm_f.weight"},
      {"output.weight", "lm_head.weight"},
      {"blk.{}.attn_norm.weight", "backbone.layers.{}.norm.weight"},
      {"blk.{}.ssm_in.weight", "backbone.layers.{}.mixer.in_proj.weight"},
      {"blk.{}.ssm_conv1d.weight", "backbone.layers.{}.mixer.conv1d.weight"},
      {"blk.{}.ssm_conv1d.bias", "backbone.layers.{}.mixer.conv1d.bias"},
      {"blk.{}.ssm_x.weight", "backbone.layers.{}.mixer.x_proj.weight"},
      {"blk.{}.ssm_dt.weight", "backbone.layers.{}.mixer.dt_proj.weight"},
      {"blk.{}.ssm_dt.bias", "backbone.layers.{}.mixer.dt_proj.bias"},
      {"blk.{}.ssm_a", "backbone.layers.{}.mixer.A_log", kNegativeExp},
      {"blk.{}.ssm_d", "backbone.layers.{}.mixer.D"},
      {"blk.{}.ssm_out.weight", "backbone.layers.{}.mixer.out_proj.weight"},
  }};
}
constexpr std::array kTensors = Tensors("backbone.embeddings.weight");
constexpr std::array kAuthorsTensors = Tensors("backbone.embedding.weight");

struct Layer {
  Norm norm;  // [d]
  MambaMixer mixer;
};

class Mamba final : public Model {
 public:
  Mamba(std::shared_ptr<const Checkpoint> checkpoint, const Compute& compute)
      : checkpoint_(std::move(checkpoint)), config_(ReadMambaConfig(*checkpoint_)) {
    Architecture architecture = MambaArchitecture();
    if (checkpoint_->Find("backbone.embedding.weight") != nullptr) {
      architecture.tensors = kAuthorsTensors;
    }
    Weights weights(*checkpoint_, architecture, compute);
    BindWeights(weights);
    facts_ = FactsOf({.architecture = "mamba",
                      .vocabulary = config_.vocabulary,
                      .context = config_.context,
                      .layers = config_.layers,
                      .recurrent = RecurrentShapeOf(config_.mamba, config_.layers)},
                     weights);
  }

  const ModelFacts& facts() const override { return facts_; }

  Memory NewMemory(const MemoryOptions& options) const override {
    return NewRecurrentMemory(facts_, options);
  }

  Tensor Forward(Batch batch, const Compute& compute) const override {
    const int64_t tokens = BeginForward(batch, config_.vocabulary);
    Scratch scratch;
    Tensor x = Embed(batch, embedding_, compute);  // residual stream [T, d]
    MambaRows rows(tokens, config_.mamba);
    for (int64_t l = 0; l < config_.layers; ++l) {
      const Layer& layer = layers_[static_cast<size_t>(l)];
      AddMamba(layer.norm, layer.mixer, {.batch = batch, .state = l, .rows = rows}, x, scratch,
               compute);
    }
    Tensor logits = Head(batch, x, output_norm_, head_, scratch, compute);
    FinishForward(batch);
    return logits;
  }

 private:
  void BindWeights(Weights& weights) {
    const StateSpaceConfig& c = config_;
    embedding_ = weights.Matrix("token_embd.weight", 0, c.vocabulary, c.width);
    output_norm_ = weights.BindNorm("output_norm.weight", 0, c.width, c.norm_eps);
    head_ = weights.BindHead(c.vocabulary, c.width);
    for (int64_t l = 0; l < c.layers; ++l) {
      layers_.push_back(
          {.norm = weights.BindNorm("blk.{}.attn_norm.weight", l, c.width, c.norm_eps),
           .mixer = BindMambaMixer(weights, l, c.width, c.mamba, c.norm_eps)});
      if (!c.step_norms) continue;
      const auto plain = [&](int64_t size) {
        return Norm{.weight = std::vector<float>(static_cast<size_t>(size), 1), .eps = c.norm_eps};
      };
      layers_.back().mixer.dt_norm = plain(c.mamba.rank);
      layers_.back().mixer.b_norm = plain(c.mamba.states);
      layers_.back().mixer.c_norm = plain(c.mamba.states);
    }
  }

  std::shared_ptr<const Checkpoint> checkpoint_;  // owns the bytes of the views below
  StateSpaceConfig config_;
  ModelFacts facts_;
  TensorView embedding_;  // [V, d]
  std::vector<Layer> layers_;
  Norm output_norm_;
  Linear head_;  // [V, d]
};

std::unique_ptr<Model> Load(std::shared_ptr<const Checkpoint> checkpoint, const Compute& compute) {
  return std::make_unique<Mamba>(std::move(checkpoint), compute);
}

}  // namespace

Architecture MambaArchitecture() { return {"mamba", "mamba", "MambaForCausalLM", kTensors, Load}; }

}  // namespace tome
