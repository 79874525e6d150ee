#include "tome/models/infini.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "tome/base/error.h"
#include "tome/models/hf_config.h"
#include "tome/models/layers/attention.h"
#include "tome/models/layers/decoder.h"
#include "tome/models/layers/llama_layer.h"
#include "tome/models/layers/token_rows.h"
#include "tome/models/registry.h"

namespace tome {
namespace {

constexpr std::array<TensorName, 19> Tensors() {
  constexpr auto kDense = LlamaTensors(TensorTransform::kNone, TensorTransform::kNone);
  std::array<TensorName, 19> tensors{};
  std::copy(kDense.begin(), kDense.end(), tensors.begin());
  tensors.back() = {"blk.{}.attn_mem_gate", kInfiniGate};
  return tensors;
}
constexpr std::array kTensors = Tensors();

InfiniConfig ReadInfini(const Checkpoint& checkpoint) {
  const HfConfig hf = HfConfig::Parse(checkpoint.SideFile("config.json"));
  InfiniConfig config;
  config.segment = hf.Int("infini.segment_length").value_or(config.segment);
  if (config.segment < 1 || config.segment > kMaxInfiniSegment) {
    throw Error(Code::kCorrupt,
                fmt::format("config.json: infini.segment_length is {}; it must be from 1 to {}",
                            config.segment, kMaxInfiniSegment));
  }
  const std::string update = hf.String("infini.update").value_or("linear");
  if (update != "linear" && update != "delta") {
    throw Error(
        Code::kUnsupported,
        fmt::format("config.json: infini.update is \"{}\"; there are linear and delta", update));
  }
  config.delta = update == "delta";
  config.eps = static_cast<float>(hf.Float("infini.eps").value_or(double{config.eps}));
  if (!(config.eps > 0) || !std::isfinite(config.eps)) {
    throw Error(
        Code::kCorrupt,
        fmt::format("config.json: infini.eps is {}; it must be a positive number", config.eps));
  }
  return config;
}

struct Layer {
  LlamaLayer dense;
  std::vector<float> gates;  // [H], sigmoid(β)
};

class Infini final : public Model {
 public:
  Infini(std::shared_ptr<const Checkpoint> checkpoint, const Architecture& architecture,
         const Compute& compute)
      : checkpoint_(std::move(checkpoint)),
        config_(ReadDecoderConfig(*checkpoint_, std::string(architecture.name))),
        infini_(ReadInfini(*checkpoint_)),
        frequencies_(config_.rope, infini_.segment) {
    if (config_.window > 0 && config_.window < infini_.segment) {
      throw Error(Code::kUnsupported,
                  fmt::format("config.json: a sliding window of {} is shorter than a segment of "
                              "{} tokens; Tome attends whole segments",
                              config_.window, infini_.segment));
    }
    config_.window = 0;
    Weights weights(*checkpoint_, architecture, compute);
    BindWeights(weights);
    facts_ = FactsOf(config_, std::string(architecture.name), weights);
    facts_.trained_tokens = kAnyLength;
    facts_.native_tokens = kAnyLength;
    facts_.lengthened_by.clear();
    facts_.rope_by_length = false;
    facts_.segment_tokens = infini_.segment;
    facts_.recurrent = {.layers = config_.layers,
                        .window = 0,
                        .state = config_.kv_heads * CompressiveHeadFloats(config_.head_size)};
  }

  const ModelFacts& facts() const override { return facts_; }

  Memory NewMemory(const MemoryOptions& options) const override {
    return NewRecurrentMemory(facts_, options);
  }

  // Runs all layers over one piece of each item's tokens after the other, until all tokens are
  // read. No piece passes the end of a segment.
  Tensor Forward(Batch batch, const Compute& compute) const override {
    const int64_t tokens = CheckBatch(batch, config_.vocabulary);
    std::vector<Memory> before;  // copies to restore if a later piece fails
    for (const BatchItem& item : batch) {
      const auto count = static_cast<int64_t>(item.tokens.size());
      if (count > Room(*item.memory)) {
        for (const BatchItem& each : batch) before.push_back(each.memory->Fork());
        break;
      }
    }
    Scratch scratch;
    Tensor x(DType::kF32, {tokens, config_.width}, Fill::kNone);
    try {
      std::vector<size_t> read(batch.size());
      while (ReadPiece(batch, read, x, scratch, compute)) {
      }
    } catch (...) {
      for (size_t i = 0; i < before.size(); ++i) *batch[i].memory = std::move(before[i]);
      throw;
    }
    return Head(batch, x, output_norm_, head_, scratch, compute);
  }

 private:
  // Returns how many more tokens the current segment takes. A memory keeps the keys of that segment
  // only.
  int64_t Room(const Memory& memory) const { return infini_.segment - memory.kv().length(); }

  // Reads the next piece of each item and writes its rows to x. `read` counts each item's tokens
  // that were read. Returns false when all were.
  bool ReadPiece(Batch batch, std::vector<size_t>& read, Tensor& x, Scratch& scratch,
                 const Compute& compute) const {
    std::vector<BatchItem> piece;
    std::vector<int64_t> rows;  // row in x of each piece's first token
    int64_t row = 0;
    for (size_t i = 0; i < batch.size(); ++i) {
      const BatchItem& item = batch[i];
      const size_t count =
          std::min(item.tokens.size() - read[i], static_cast<size_t>(Room(*item.memory)));
      if (count > 0) {
        piece.push_back({.memory = item.memory, .tokens = item.tokens.subspan(read[i], count)});
        rows.push_back(row + static_cast<int64_t>(read[i]));
      }
      row += static_cast<int64_t>(item.tokens.size());
      read[i] += count;
    }
    if (piece.empty()) return false;
    const Tensor y = RunLayers(piece, scratch, compute);
    const int64_t width = config_.width;
    const float* from = y.floats().data();
    for (size_t i = 0; i < piece.size(); ++i) {
      const int64_t size = static_cast<int64_t>(piece[i].tokens.size()) * width;
      std::copy_n(from, size, x.floats().data() + rows[i] * width);
      from += size;
    }
    for (const BatchItem& item : piece) {
      item.memory->Advance(static_cast<int64_t>(item.tokens.size()));
      if (Room(*item.memory) == 0) item.memory->kv().Truncate(0);
    }
    return true;
  }

  Tensor RunLayers(Batch piece, Scratch& scratch, const Compute& compute) const {
    const DecoderConfig& c = config_;
    const int64_t tokens = BeginForward(piece, c.vocabulary);
    // Positions begin anew with each segment, since attention sees only distances within a segment.
    RopeTable angles;
    for (const BatchItem& item : piece) {
      frequencies_.Append(item.memory->kv().length(), static_cast<int64_t>(item.tokens.size()),
                          angles);
    }
    const RotateArgs rotate{.table = angles,
                            .rotary = c.rope.dimensions,
                            .layout = RopeLayout::kHalfSplit,
                            .head_size = c.head_size};
    const int64_t q_width = c.heads * c.head_size;
    const int64_t kv_width = c.kv_heads * c.head_size;
    Tensor x = Embed(piece, embedding_, compute);  // residual stream [T, d]
    Tensor q(DType::kF32, {tokens, q_width}, Fill::kNone);
    Tensor k(DType::kF32, {tokens, kv_width}, Fill::kNone);
    Tensor v(DType::kF32, {tokens, kv_width}, Fill::kNone);
    Tensor turned_q(DType::kF32, {tokens, q_width}, Fill::kNone);
    Tensor turned_k(DType::kF32, {tokens, kv_width}, Fill::kNone);
    Tensor attended(DType::kF32, {tokens, q_width}, Fill::kNone);
    Tensor hidden(DType::kF32, {tokens, c.ffn_width}, Fill::kNone);
    for (int64_t l = 0; l < c.layers; ++l) {
      const Layer& layer = layers_[static_cast<size_t>(l)];
      const LlamaLayer& dense = layer.dense;
      Project(
          &dense.attention_norm, x,
          {{.linear = dense.q, .y = q}, {.linear = dense.k, .y = k}, {.linear = dense.v, .y = v}},
          scratch, compute);
      if (dense.q_norm) Normalize(*dense.q_norm, q, q, compute);
      if (dense.k_norm) Normalize(*dense.k_norm, k, k, compute);
      std::copy(q.floats().begin(), q.floats().end(), turned_q.floats().begin());
      std::copy(k.floats().begin(), k.floats().end(), turned_k.floats().begin());
      Rotate(turned_q, rotate, compute);
      Rotate(turned_k, rotate, compute);
      Attend(piece, l, AttentionShapeOf(c, l),
             {.q = turned_q.floats().data(), .k = turned_k.floats().data(), .v = v.floats().data()},
             attended.floats().data(), scratch, compute);
      Recall(piece, l, {q.floats().data(), k.floats().data(), v.floats().data()}, attended,
             compute);
      Project(attended, {{.linear = dense.output, .y = x, .add = true}}, scratch, compute);
      AddFeedForward(dense.ffn_norm, dense.ffn, x, hidden, scratch, compute);
    }
    return x;
  }

  // Mixes what the memory recalls into `attended`, and lets it learn the new tokens. `plain` has no
  // RoPE.
  void Recall(Batch piece, int64_t layer, const AttentionInput& plain, Tensor& attended,
              const Compute& compute) const {
    const DecoderConfig& c = config_;
    const int64_t q_width = c.heads * c.head_size;
    const int64_t kv_width = c.kv_heads * c.head_size;
    std::vector<CompressiveSequence> sequences;
    int64_t row = 0;
    for (const BatchItem& item : piece) {
      Recurrent& memory = item.memory->recurrent();
      const auto tokens = static_cast<int64_t>(item.tokens.size());
      float* const local = attended.floats().data() + row * q_width;
      sequences.push_back({.q = plain.q + row * q_width,
                           .k = plain.k + row * kv_width,
                           .v = plain.v + row * kv_width,
                           .local = local,
                           .out = local,
                           .state = memory.View(layer).state.data(),
                           .next = memory.Next(layer).state.data(),
                           .tokens = tokens,
                           .ends_segment = tokens == Room(*item.memory)});
      row += tokens;
    }
    compute.kernels.compressive({.sequences = sequences,
                                 .heads = c.heads,
                                 .kv_heads = c.kv_heads,
                                 .head_size = c.head_size,
                                 .gates = layers_[static_cast<size_t>(layer)].gates,
                                 .delta = infini_.delta,
                                 .eps = infini_.eps},
                                compute.threads);
  }

  void BindWeights(Weights& weights) {
    const DecoderConfig& c = config_;
    embedding_ = weights.Matrix("token_embd.weight", 0, c.vocabulary, c.width);
    output_norm_ = weights.BindNorm("output_norm.weight", 0, c.width, c.norm_eps);
    head_ = weights.BindHead(c.vocabulary, c.width);
    int64_t l = 0;
    for (LlamaLayer& dense : BindLlamaLayers(c, weights)) {
      std::vector<float> gates = weights.Vector("blk.{}.attn_mem_gate", l++, c.heads);
      for (float& gate : gates) gate = 1 / (1 + std::exp(-gate));
      layers_.push_back({.dense = std::move(dense), .gates = std::move(gates)});
    }
  }

  std::shared_ptr<const Checkpoint> checkpoint_;  // owns the bytes of the views below
  DecoderConfig config_;
  InfiniConfig infini_;
  RopeFrequencies frequencies_;
  ModelFacts facts_;
  TensorView embedding_;  // [V, d]
  std::vector<Layer> layers_;
  Norm output_norm_;
  Linear head_;  // [V, d]
};

template <Architecture (*Make)()>
std::unique_ptr<Model> Load(std::shared_ptr<const Checkpoint> checkpoint, const Compute& compute) {
  return std::make_unique<Infini>(std::move(checkpoint), Make(), compute);
}

template <Architecture (*Make)()>
Architecture MakeArchitecture(std::string_view name, std::string_view hf_model_type,
                              std::string_view hf_class) {
  return {.name = name,
          .hf_model_type = hf_model_type,
          .hf_class = hf_class,
          .tensors = kTensors,
          .load = Load<Make>,
          .has_gguf = false};
}

}  // namespace

Architecture InfiniLlamaArchitecture() {
  return MakeArchitecture<InfiniLlamaArchitecture>("infini-llama", "infini_llama",
                                                   "InfiniLlamaForCausalLM");
}
Architecture InfiniQwen2Architecture() {
  return MakeArchitecture<InfiniQwen2Architecture>("infini-qwen2", "infini_qwen2",
                                                   "InfiniQwen2ForCausalLM");
}
Architecture InfiniQwen3Architecture() {
  return MakeArchitecture<InfiniQwen3Architecture>("infini-qwen3", "infini_qwen3",
                                                   "InfiniQwen3ForCausalLM");
}

const Architecture* InfiniFormOf(const Architecture& dense) {
  const std::string name = fmt::format("infini-{}", dense.name);
  for (const Architecture& architecture : Architectures()) {
    if (architecture.name == name) return &architecture;
  }
  return nullptr;
}

}  // namespace tome
