#include "tome/models/bert.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tome/base/error.h"
#include "tome/models/encoder_config.h"
#include "tome/models/layers/encoder_rows.h"
#include "tome/models/layers/layer_norm.h"
#include "tome/models/layers/linear.h"
#include "tome/models/layers/scratch.h"
#include "tome/models/layers/token_rows.h"
#include "tome/models/weights.h"

namespace tome {
namespace {

// Old checkpoints call a norm's weight and bias gamma and beta.
constexpr std::array kTensors = std::to_array<TensorName>({
    {"token_embd.weight", "embeddings.word_embeddings.weight"},
    {"position_embd.weight", "embeddings.position_embeddings.weight"},
    {"token_types.weight", "embeddings.token_type_embeddings.weight"},
    {"token_embd_norm.weight", "embeddings.LayerNorm.weight"},
    {"token_embd_norm.weight", "embeddings.LayerNorm.gamma"},
    {"token_embd_norm.bias", "embeddings.LayerNorm.bias"},
    {"token_embd_norm.bias", "embeddings.LayerNorm.beta"},
    {"blk.{}.attn_q.weight", "encoder.layer.{}.attention.self.query.weight"},
    {"blk.{}.attn_q.bias", "encoder.layer.{}.attention.self.query.bias"},
    {"blk.{}.attn_k.weight", "encoder.layer.{}.attention.self.key.weight"},
    {"blk.{}.attn_k.bias", "encoder.layer.{}.attention.self.key.bias"},
    {"blk.{}.attn_v.weight", "encoder.layer.{}.attention.self.value.weight"},
    {"blk.{}.attn_v.bias", "encoder.layer.{}.attention.self.value.bias"},
    {"blk.{}.attn_output.weight", "encoder.layer.{}.attention.output.dense.weight"},
    {"blk.{}.attn_output.bias", "encoder.layer.{}.attention.output.dense.bias"},
    {"blk.{}.attn_output_norm.weight", "encoder.layer.{}.attention.output.LayerNorm.weight"},
    {"blk.{}.attn_output_norm.weight", "encoder.layer.{}.attention.output.LayerNorm.gamma"},
    {"blk.{}.attn_output_norm.bias", "encoder.layer.{}.attention.output.LayerNorm.bias"},
    {"blk.{}.attn_output_norm.bias", "encoder.layer.{}.attention.output.LayerNorm.beta"},
    {"blk.{}.ffn_up.weight", "encoder.layer.{}.intermediate.dense.weight"},
    {"blk.{}.ffn_up.bias", "encoder.layer.{}.intermediate.dense.bias"},
    {"blk.{}.ffn_down.weight", "encoder.layer.{}.output.dense.weight"},
    {"blk.{}.ffn_down.bias", "encoder.layer.{}.output.dense.bias"},
    {"blk.{}.layer_output_norm.weight", "encoder.layer.{}.output.LayerNorm.weight"},
    {"blk.{}.layer_output_norm.weight", "encoder.layer.{}.output.LayerNorm.gamma"},
    {"blk.{}.layer_output_norm.bias", "encoder.layer.{}.output.LayerNorm.bias"},
    {"blk.{}.layer_output_norm.bias", "encoder.layer.{}.output.LayerNorm.beta"},
});

struct BertLayer {
  Linear q, k, v;            // [d, d]
  Linear output;             // [d, d]
  LayerNorm attention_norm;  // [d]
  Linear up;                 // [F, d]
  Linear down;               // [d, F]
  LayerNorm output_norm;     // [d]
};

struct BertConfig : EncoderConfig {
  // Rows of the table of positions before the one of a sequence's first token. HF's tables of
  // RoBERTa begin with rows up to the padding token's number; GGUF's lack them.
  int64_t first_position = 0;
};

BertConfig ReadConfig(const Checkpoint& checkpoint, const Architecture& architecture) {
  BertConfig config;
  if (checkpoint.container() == Container::kGguf) {
    const GgufKeys keys(checkpoint.metadata(), std::string(architecture.name));
    static_cast<EncoderConfig&>(config) = ReadGgufEncoder(checkpoint, keys);
  } else {
    const HfConfig hf = HfConfig::Parse(checkpoint.SideFile("config.json"));
    static_cast<EncoderConfig&>(config) = ReadHfEncoder(hf);
    const std::string positions = hf.String("position_embedding_type").value_or("absolute");
    if (positions != "absolute") {
      throw Error(Code::kUnsupported,
                  fmt::format("config.json: position_embedding_type \"{}\" is not run; only "
                              "\"absolute\" is",
                              positions));
    }
    if (hf.Bool("is_decoder").value_or(false)) {
      throw Error(Code::kUnsupported, "config.json: is_decoder is set; only encoders are run");
    }
    if (architecture.hf_model_type != "bert") {
      const int64_t padding = hf.Int("pad_token_id").value_or(1);
      if (padding < 0 || padding >= config.positions - 1) {
        throw Error(Code::kCorrupt,
                    fmt::format("config.json: pad_token_id is {}, and positions, which are counted "
                                "from behind it, end at {} (max_position_embeddings)",
                                padding, config.positions));
      }
      config.first_position = padding + 1;
      config.positions -= config.first_position;
    }
  }
  CheckEncoderConfig(config);
  return config;
}

class Bert final : public Encoder {
 public:
  Bert(std::shared_ptr<const Checkpoint> checkpoint, const Architecture& architecture,
       EncoderWeights weights, const Compute& compute)
      : checkpoint_(std::move(checkpoint)), config_(ReadConfig(*checkpoint_, architecture)) {
    Weights binder(*checkpoint_, architecture, compute,
                   weights == EncoderWeights::kQ8 ? std::optional(DType::kQ8_0) : std::nullopt);
    BindWeights(binder);
    facts_ = EncoderFactsOf(config_, architecture, binder);
  }

  const EncoderFacts& facts() const override { return facts_; }

  Tensor Forward(EncoderBatch batch, std::optional<Pooling> pooling,
                 const Compute& compute) const override {
    const BertConfig& c = config_;
    const EncoderRows rows = RowsOf(batch, facts_);
    const auto tokens = static_cast<int64_t>(rows.tokens.size());
    Scratch scratch;
    Tensor x = EmbedRows(batch, rows, compute);  // [T, d]
    Tensor q(DType::kF32, {tokens, c.width}, Fill::kNone);
    Tensor k(DType::kF32, {tokens, c.width}, Fill::kNone);
    Tensor v(DType::kF32, {tokens, c.width}, Fill::kNone);
    Tensor attended(DType::kF32, {tokens, c.width}, Fill::kNone);
    Tensor hidden(DType::kF32, {tokens, c.ffn_width}, Fill::kNone);
    const EncoderAttentionShape shape{
        .heads = c.heads,
        .kv_heads = c.heads,
        .head_size = c.head_size(),
        .scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c.head_size()))),
        .slopes = {}};
    for (const BertLayer& layer : layers_) {
      // In the last layer, only the rows that are pooled go on from here.
      const EncoderQueries queries =
          &layer == &layers_.back() ? QueriesOf(pooling) : EncoderQueries::kAll;
      if (queries == EncoderQueries::kAll) {
        Project(
            x,
            {{.linear = layer.q, .y = q}, {.linear = layer.k, .y = k}, {.linear = layer.v, .y = v}},
            scratch, compute);
      } else {
        Project(x, {{.linear = layer.k, .y = k}, {.linear = layer.v, .y = v}}, scratch, compute);
        x = QueryRows(rows, queries, x);
        q = Tensor(DType::kF32, x.shape(), Fill::kNone);
        attended = Tensor(DType::kF32, x.shape(), Fill::kNone);
        hidden = Tensor(DType::kF32, {rows.items(), c.ffn_width}, Fill::kNone);
        Project(x, {{.linear = layer.q, .y = q}}, scratch, compute);
      }
      AttendAll(rows, queries, shape, q, k, v, attended, scratch, compute);
      Project(attended, {{.linear = layer.output, .y = x, .add = true}}, scratch, compute);
      NormalizeLayer(layer.attention_norm, x, compute);
      Project(x, {{.linear = layer.up, .y = hidden, .activation = c.activation}}, scratch, compute);
      Project(hidden, {{.linear = layer.down, .y = x, .add = true}}, scratch, compute);
      NormalizeLayer(layer.output_norm, x, compute);
    }
    return pooling ? PoolRows(rows, *pooling, std::move(x), compute) : std::move(x);
  }

 private:
  void BindWeights(Weights& weights) {
    const BertConfig& c = config_;
    embedding_ = weights.Matrix("token_embd.weight", 0, c.vocabulary, c.width);
    positions_ =
        weights.Values("position_embd.weight", 0, {Shape{c.first_position + c.positions, c.width}});
    token_types_ = weights.Values("token_types.weight", 0, {Shape{c.token_types, c.width}});
    embedding_norm_ = weights.BindLayerNorm("token_embd_norm", 0, c.width, c.norm_eps);
    for (int64_t l = 0; l < c.layers; ++l) {
      layers_.push_back({
          .q = weights.BindLinear("blk.{}.attn_q", l, c.width, c.width),
          .k = weights.BindLinear("blk.{}.attn_k", l, c.width, c.width),
          .v = weights.BindLinear("blk.{}.attn_v", l, c.width, c.width),
          .output = weights.BindLinear("blk.{}.attn_output", l, c.width, c.width),
          .attention_norm =
              weights.BindLayerNorm("blk.{}.attn_output_norm", l, c.width, c.norm_eps),
          .up = weights.BindLinear("blk.{}.ffn_up", l, c.ffn_width, c.width),
          .down = weights.BindLinear("blk.{}.ffn_down", l, c.width, c.ffn_width),
          .output_norm = weights.BindLayerNorm("blk.{}.layer_output_norm", l, c.width, c.norm_eps),
      });
    }
  }

  // Returns LayerNorm(token + position + token type), [T, d].
  Tensor EmbedRows(EncoderBatch batch, const EncoderRows& rows, const Compute& compute) const {
    const int64_t width = config_.width;
    Tensor x = RowsOf(rows.tokens, embedding_, compute);
    compute.threads.ParallelFor(rows.items(), [&](int64_t item, int) {
      const int64_t first_text = batch[static_cast<size_t>(item)].first_text;
      for (int64_t t = 0; t < rows.length(item); ++t) {
        const int64_t type = t >= first_text && config_.token_types > 1 ? 1 : 0;
        const float* const position = positions_.data() + (config_.first_position + t) * width;
        const float* const token_type = token_types_.data() + type * width;
        float* const row = x.floats().data() + (rows.begin(item) + t) * width;
        for (int64_t i = 0; i < width; ++i) row[i] += token_type[i] + position[i];
      }
    });
    NormalizeLayer(embedding_norm_, x, compute);
    return x;
  }

  std::shared_ptr<const Checkpoint> checkpoint_;  // owns the bytes of the views below
  BertConfig config_;
  EncoderFacts facts_;
  TensorView embedding_;            // [V, d]
  std::vector<float> positions_;    // [first_position + positions, d]
  std::vector<float> token_types_;  // [types, d]
  LayerNorm embedding_norm_;
  std::vector<BertLayer> layers_;
};

template <Architecture (*Make)()>
std::unique_ptr<Encoder> Load(std::shared_ptr<const Checkpoint> checkpoint, EncoderWeights weights,
                              const Compute& compute) {
  return std::make_unique<Bert>(std::move(checkpoint), Make(), weights, compute);
}

template <Architecture (*Make)()>
Architecture MakeArchitecture(std::string_view model_type, std::string_view hf_class,
                              std::string_view prefix) {
  return {.name = "bert",
          .hf_model_type = model_type,
          .hf_class = hf_class,
          .tensors = kTensors,
          .load_encoder = Load<Make>,
          .hf_prefix = prefix};
}

}  // namespace

Architecture BertArchitecture() {
  return MakeArchitecture<BertArchitecture>("bert", "BertModel", "bert.");
}
Architecture XlmRobertaArchitecture() {
  return MakeArchitecture<XlmRobertaArchitecture>("xlm-roberta", "XLMRobertaModel", "roberta.");
}
Architecture RobertaArchitecture() {
  return MakeArchitecture<RobertaArchitecture>("roberta", "RobertaModel", "roberta.");
}

}  // namespace tome
