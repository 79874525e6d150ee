#include <array>
#include <utility>
#include <vector>

#include "tome/models/layers/decoder.h"
#include "tome/models/layers/mamba_mixer.h"
#include "tome/models/layers/token_rows.h"
#include "tome/models/mamba.h"
#include "tome/models/state_space_config.h"
#include "tome/models/weights.h"

namespace tome {
namespace {

using enum TensorTransform;

// The authors' checkpoints differ from those of transformers by the name of the embedding alone.
constexpr std::array<TensorName, 12> Tensors(std::string_view embedding) {
  return {{
      {"token_embd.weight", embedding},
      {"output_norm.weight", "backbone.norm_f.weight"},
      {"output.weight", "lm_head.weight"},
      {"blk.{}.attn_norm.weight", "backbone.layers.{}.norm.weight"},
      {"blk.{}.ssm_in.weight", "backbone.layers.{}.mixer.in_proj.weight"},
      {"blk.{}.ssm_conv1d.weight", "backbone.layers.{}.mixer.conv1d.weight"},
      {"blk.{}.ssm_conv1d.bias", "backbone.layers.{}.mixer.conv1d.bias"},
      {"blk.{}.ssm_dt.bias", "backbone.layers.{}.mixer.dt_bias"},
      {"blk.{}.ssm_a", "backbone.layers.{}.mixer.A_log", kNegativeExp},
      {"blk.{}.ssm_d", "backbone.layers.{}.mixer.D"},
      {"blk.{}.ssm_norm.weight", "backbone.layers.{}.mixer.norm.weight"},
      {"blk.{}.ssm_out.weight", "backbone.layers.{}.mixer.out_proj.weight"},
  }};
}
constexpr std::array kTensors = Tensors("backbone.embeddings.weight");
constexpr std::array kAuthorsTensors = Tensors("backbone.embedding.weight");

struct Layer {
  Norm norm;                     // [d]
  Linear z, xbc, dt;             // [Di, d], [Di + 2GN, d], [H, d]: the parts of ssm_in
  std::vector<float> conv;       // [W, Di + 2GN]
  std::vector<float> conv_bias;  // [Di + 2GN], or empty
  std::vector<float> dt_bias;    // [H]
  std::vector<float> a;          // [H]
  std::vector<float> d;          // [H, P]
  Norm gated_norm;               // [Di], in groups
  Linear out;                    // [d, Di]
};

class Mamba2 final : public Model {
 public:
  Mamba2(std::shared_ptr<const Checkpoint> checkpoint, const Compute& compute)
      : checkpoint_(std::move(checkpoint)),
        config_(ReadMamba2Config(*checkpoint_)),
        conv_channels_(config_.mamba.inner + 2 * config_.groups * config_.mamba.states) {
    Architecture architecture = Mamba2Architecture();
    if (checkpoint_->Find("backbone.embedding.weight") != nullptr) {
      architecture.tensors = kAuthorsTensors;
    }
    Weights weights(*checkpoint_, architecture, compute);
    BindWeights(weights);
    facts_ = FactsOf({.architecture = "mamba2",
                      .vocabulary = config_.vocabulary,
                      .context = config_.context,
                      .layers = config_.layers,
                      .recurrent = {.layers = config_.layers,
                                    .window = (config_.mamba.conv_width - 1) * conv_channels_,
                                    .state = config_.mamba.inner * config_.mamba.states}},
                     weights);
  }

  const ModelFacts& facts() const override { return facts_; }

  Memory NewMemory(const MemoryOptions& options) const override {
    return NewRecurrentMemory(facts_, options);
  }

  Tensor Forward(Batch batch, const Compute& compute) const override {
    const StateSpaceConfig& c = config_;
    const int64_t tokens = BeginForward(batch, c.vocabulary);
    Scratch scratch;
    Tensor x = Embed(batch, embedding_, compute);  // residual stream [T, d]
    Tensor z(DType::kF32, {tokens, c.mamba.inner}, Fill::kNone);
    Tensor xbc(DType::kF32, {tokens, conv_channels_}, Fill::kNone);
    Tensor convolved(DType::kF32, {tokens, conv_channels_}, Fill::kNone);
    Tensor dt(DType::kF32, {tokens, c.heads}, Fill::kNone);
    for (int64_t l = 0; l < c.layers; ++l) {
      const Layer& layer = layers_[static_cast<size_t>(l)];
      Project(&layer.norm, x,
              {{.linear = layer.z, .y = z},
               {.linear = layer.xbc, .y = xbc},
               {.linear = layer.dt, .y = dt}},
              scratch, compute);
      const auto windows = ConvSequences(batch, l);
      compute.kernels.conv1d({.sequences = windows,
                              .x = xbc.floats().data(),
                              .weight = layer.conv.data(),
                              .bias = layer.conv_bias.empty() ? nullptr : layer.conv_bias.data(),
                              .y = convolved.floats().data(),
                              .channels = conv_channels_,
                              .width = c.mamba.conv_width},
                             compute.threads);
      Scan(layer, ScanSequences(batch, l), convolved.floats().data(), dt.floats().data(),
           z.floats().data(), compute);
      Normalize(layer.gated_norm, z, z, compute);
      Project(z, {{.linear = layer.out, .y = x, .add = true}}, scratch, compute);
    }
    Tensor logits = Head(batch, x, output_norm_, head_, scratch, compute);
    FinishForward(batch);
    return logits;
  }

 private:
  // Runs the scan. Its gated output takes the place of z.
  void Scan(const Layer& layer, const std::vector<ScanSequence>& sequences, const float* convolved,
            const float* dt, float* z, const Compute& compute) const {
    const StateSpaceConfig& c = config_;
    compute.kernels.head_scan({.sequences = sequences,
                               .x = convolved,
                               .b = convolved + c.mamba.inner,
                               .c = convolved + c.mamba.inner + c.groups * c.mamba.states,
                               .x_stride = conv_channels_,
                               .bc_stride = conv_channels_,
                               .dt = dt,
                               .dt_bias = layer.dt_bias.data(),
                               .least = c.least_step,
                               .most = c.most_step,
                               .a = layer.a.data(),
                               .d = layer.d.data(),
                               .z = z,
                               .y = z,
                               .heads = c.heads,
                               .head_size = c.head_size,
                               .states = c.mamba.states,
                               .groups = c.groups},
                              compute.threads);
  }

  void BindWeights(Weights& weights) {
    const StateSpaceConfig& c = config_;
    const int64_t inner = c.mamba.inner;
    const int64_t rows = inner + conv_channels_ + c.heads;
    embedding_ = weights.Matrix("token_embd.weight", 0, c.vocabulary, c.width);
    output_norm_ = weights.BindNorm("output_norm.weight", 0, c.width, c.norm_eps);
    head_ = weights.BindHead(c.vocabulary, c.width);
    for (int64_t l = 0; l < c.layers; ++l) {
      const auto part = [&](int64_t first, int64_t out) {
        return weights.BindRows("blk.{}.ssm_in", l, rows, c.width, first, out);
      };
      layers_.push_back({
          .norm = weights.BindNorm("blk.{}.attn_norm.weight", l, c.width, c.norm_eps),
          .z = part(0, inner),
          .xbc = part(inner, conv_channels_),
          .dt = part(inner + conv_channels_, c.heads),
          .conv = BindConv(weights, l, conv_channels_, c.mamba.conv_width),
          .conv_bias = weights.Has("blk.{}.ssm_conv1d.bias", l)
                           ? weights.Vector("blk.{}.ssm_conv1d.bias", l, conv_channels_)
                           : std::vector<float>(),
          .dt_bias = weights.Vector("blk.{}.ssm_dt.bias", l, c.heads),
          .a = weights.Values("blk.{}.ssm_a", l, {Shape{c.heads}, Shape{c.heads, 1}}),
          .d = BindSkip(weights, l),
          .gated_norm = {.weight =
                             weights.Values("blk.{}.ssm_norm.weight", l,
                                            {Shape{inner}, Shape{c.groups, inner / c.groups}}),
                         .eps = c.norm_eps,
                         .groups = c.groups},
          .out = weights.BindLinear("blk.{}.ssm_out", l, c.width, inner),
      });
    }
  }

  // Returns D with a factor for each channel; a checkpoint has one for each head or each channel.
  std::vector<float> BindSkip(const Weights& weights, int64_t layer) const {
    const int64_t heads = config_.heads;
    const std::vector<float> given = weights.Values(
        "blk.{}.ssm_d", layer, {Shape{heads}, Shape{heads, 1}, Shape{config_.mamba.inner}});
    std::vector<float> d(static_cast<size_t>(config_.mamba.inner));
    for (size_t i = 0; i < d.size(); ++i) d[i] = given[i * given.size() / d.size()];
    return d;
  }

  std::shared_ptr<const Checkpoint> checkpoint_;  // owns the bytes of the views below
  StateSpaceConfig config_;
  int64_t conv_channels_;  // x, b and c
  ModelFacts facts_;
  TensorView embedding_;  // [V, d]
  std::vector<Layer> layers_;
  Norm output_norm_;
  Linear head_;  // [V, d]
};

std::unique_ptr<Model> Load(std::shared_ptr<const Checkpoint> checkpoint, const Compute& compute) {
  return std::make_unique<Mamba2>(std::move(checkpoint), compute);
}

}  // namespace

Architecture Mamba2Architecture() {
  return {"mamba2", "mamba2", "Mamba2ForCausalLM", kTensors, Load};
}

}  // namespace tome
