// Compares the encoders with rows that transformers computed in double precision, in both
// containers, and checks that a batch does not change what a sequence gives.
// tests/golden/encoders/README.md says how the rows were made.
#include "tome/models/encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/expect_error.h"
#include "tests/models/golden_encoder.h"

namespace tome {
namespace {

using testing::HasSubstr;
using Floats = std::vector<float>;

// Float32 in transformers itself is within 1e-6 of the same model in double precision.
constexpr double kTolerance = 2e-6;

Floats Values(const Tensor& tensor) { return {tensor.floats().begin(), tensor.floats().end()}; }

class EncoderTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    config_ = GoldenEncoderConfig(GetParam());
    golden_ = ReadEncoderGolden(GetParam());
    width_ = config_.at("hidden_size").get<size_t>();
  }

  std::filesystem::path Folder(EncoderNames names = EncoderNames::kPlain) {
    const auto path = folder_.path() / (names == EncoderNames::kPlain ? "plain" : "old");
    if (!std::filesystem::exists(path)) WriteGoldenEncoder(config_, path, names);
    return path;
  }

  double Deviation(const Encoder& encoder, const KernelSet& kernels) {
    const Floats rows = Values(encoder.Forward(golden_.Items(), std::nullopt, {kernels, threads_}));
    EXPECT_EQ(rows.size(), golden_.rows.size());
    return rows.size() == golden_.rows.size() ? WorstDeviation(rows, golden_.rows, width_) : 1;
  }

  TempFolder folder_;
  nlohmann::json config_;
  EncoderGolden golden_;
  size_t width_ = 0;
  ThreadPool threads_{2};
  Compute compute_{SelectKernelSet(), threads_};
};

TEST_P(EncoderTest, AgreesWithTransformersInEverySet) {
  for (const KernelSet* kernels : AvailableKernelSets()) {
    const auto encoder = LoadEncoderAt(Folder(), {*kernels, threads_});
    EXPECT_LT(Deviation(*encoder, *kernels), kTolerance) << kernels->name;
  }
}

TEST_P(EncoderTest, OldNamesAndGgufGiveTheSameBits) {
  const auto items = golden_.Items();
  const Floats plain =
      Values(LoadEncoderAt(Folder(), compute_)->Forward(items, std::nullopt, compute_));
  const auto old = LoadEncoderAt(Folder(EncoderNames::kOld), compute_);
  EXPECT_EQ(Values(old->Forward(items, std::nullopt, compute_)), plain);
  if (config_.at("hidden_act") != "gelu") return;  // GGUF cannot say another one
  const auto path = folder_.path() / "model.gguf";
  WriteGoldenEncoderGguf(config_, path, 2);
  const auto gguf = LoadEncoderAt(path, compute_);
  EXPECT_EQ(Values(gguf->Forward(items, std::nullopt, compute_)), plain);
  EXPECT_EQ(gguf->facts().pooling, Pooling::kFirst);
}

TEST_P(EncoderTest, ABatchGivesTheBitsOfItsSequencesAlone) {
  for (const EncoderWeights weights : {EncoderWeights::kAsStored, EncoderWeights::kQ8}) {
    const auto encoder = LoadEncoderAt(Folder(), compute_, weights);
    const auto items = golden_.Items();
    for (const auto pooling : {std::optional<Pooling>(), std::optional(Pooling::kMean),
                               std::optional(Pooling::kFirst), std::optional(Pooling::kLast)}) {
      const Floats together = Values(encoder->Forward(items, pooling, compute_));
      Floats alone;
      for (const int threads : {1, 3}) {
        ThreadPool pool(threads);
        alone.clear();
        for (const EncoderItem& item : items) {
          const Floats rows =
              Values(encoder->Forward({&item, 1}, pooling, {compute_.kernels, pool}));
          alone.insert(alone.end(), rows.begin(), rows.end());
        }
        EXPECT_EQ(alone, together);
      }
    }
  }
}

TEST_P(EncoderTest, PooledRowsAreThoseOfTheTokens) {
  const auto encoder = LoadEncoderAt(Folder(), compute_);
  const auto items = golden_.Items();
  const Floats rows = Values(encoder->Forward(items, std::nullopt, compute_));
  const Floats first = Values(encoder->Forward(items, Pooling::kFirst, compute_));
  const Floats last = Values(encoder->Forward(items, Pooling::kLast, compute_));
  const Floats mean = Values(encoder->Forward(items, Pooling::kMean, compute_));
  size_t begin = 0;
  for (size_t s = 0; s < items.size(); ++s) {
    const size_t length = items[s].tokens.size();
    for (size_t i = 0; i < width_; ++i) {
      EXPECT_EQ(first[s * width_ + i], rows[begin * width_ + i]);
      EXPECT_EQ(last[s * width_ + i], rows[(begin + length - 1) * width_ + i]);
      double sum = 0;
      for (size_t t = 0; t < length; ++t) sum += double{rows[(begin + t) * width_ + i]};
      EXPECT_NEAR(mean[s * width_ + i], sum / static_cast<double>(length), 1e-6);
    }
    begin += length;
  }
}

TEST_P(EncoderTest, EightBitsStayNear) {
  const auto encoder = LoadEncoderAt(Folder(), compute_, EncoderWeights::kQ8);
  const bool whole_blocks = width_ % 32 == 0;
  EXPECT_EQ(encoder->facts().weights, whole_blocks ? DType::kQ8_0 : DType::kF32);
  const Floats rows = Values(encoder->Forward(golden_.Items(), std::nullopt, compute_));
  for (size_t row = 0; row < rows.size(); row += width_) {
    double product = 0;
    double squares[2] = {0, 0};
    for (size_t i = row; i < row + width_; ++i) {
      product += double{rows[i]} * double{golden_.rows[i]};
      squares[0] += double{rows[i]} * double{rows[i]};
      squares[1] += double{golden_.rows[i]} * double{golden_.rows[i]};
    }
    EXPECT_GT(product / std::sqrt(squares[0] * squares[1]), 0.999);
  }
}

TEST_P(EncoderTest, FactsAreThoseOfTheFile) {
  const EncoderFacts facts = LoadEncoderAt(Folder(), compute_)->facts();
  EXPECT_EQ(facts.architecture, config_.at("model_type").get<std::string>());
  EXPECT_EQ(facts.width, config_.at("hidden_size").get<int64_t>());
  EXPECT_EQ(facts.layers, 3);
  EXPECT_EQ(facts.max_tokens, 160);
  int64_t parameters = 0;
  for (const GoldenEncoderTensor& tensor : BertTensors(config_)) {
    parameters += tensor.shape.elements();
  }
  EXPECT_EQ(facts.parameters, parameters);
  EXPECT_EQ(facts.pooling, std::nullopt);
}

TEST_P(EncoderTest, WrongBatchesAreRefused) {
  const auto encoder = LoadEncoderAt(Folder(), compute_);
  const auto run = [&](const std::vector<TokenId>& tokens) {
    const std::vector<EncoderItem> items{{.tokens = golden_.sequences[2]}, {.tokens = tokens}};
    return ErrorText([&] { encoder->Forward(items, Pooling::kMean, compute_); });
  };
  EXPECT_THAT(run({}), HasSubstr("no tokens"));
  EXPECT_THAT(run({1, 64}), HasSubstr("outside the model's vocabulary"));
  EXPECT_THAT(run({-1}), HasSubstr("outside the model's vocabulary"));
  EXPECT_THAT(run(std::vector<TokenId>(161, 5)), HasSubstr("at most 160"));
  EXPECT_EQ(encoder->Forward({}, Pooling::kMean, compute_).shape(),
            (Shape{0, encoder->facts().width}));
}

TEST_P(EncoderTest, HostileSettingsAreRefused) {
  const auto error = [&](const char* key, const nlohmann::json& value) {
    nlohmann::json config = config_;
    config[key] = value;
    std::ofstream(Folder() / "config.json") << config;
    return ErrorText([&] { LoadEncoderAt(Folder(), compute_); });
  };
  EXPECT_THAT(error("num_attention_heads", 0), HasSubstr("number of heads"));
  EXPECT_THAT(error("num_attention_heads", 7), HasSubstr("evenly"));
  EXPECT_THAT(error("hidden_size", int64_t{1} << 60), HasSubstr("width"));
  EXPECT_THAT(error("hidden_size", -64), HasSubstr("width"));
  EXPECT_THAT(error("num_hidden_layers", 100000), HasSubstr("layers"));
  EXPECT_THAT(error("num_hidden_layers", 4), HasSubstr("missing"));
  EXPECT_THAT(error("intermediate_size", 97), HasSubstr("shape"));
  EXPECT_THAT(error("layer_norm_eps", -1), HasSubstr("epsilon"));
  EXPECT_THAT(error("max_position_embeddings", 0), HasSubstr("max_position_embeddings"));
  EXPECT_THAT(error("vocab_size", 65), HasSubstr("shape"));
  EXPECT_THAT(error("hidden_act", "relu6"), HasSubstr("hidden_act"));
  EXPECT_THAT(error("position_embedding_type", "relative_key"), HasSubstr("absolute"));
  if (config_.at("model_type") != "bert") {
    EXPECT_THAT(error("pad_token_id", 9999), HasSubstr("pad_token_id"));
    EXPECT_THAT(error("pad_token_id", -1), HasSubstr("pad_token_id"));
  }
}

TEST_P(EncoderTest, IsNoLanguageModel) {
  const auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::Open(Folder()));
  EXPECT_TRUE(IsEncoder(*checkpoint));
  EXPECT_THAT(ErrorText([&] { LoadModel(checkpoint, compute_); }), HasSubstr("embedding model"));
}

std::string VariantName(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Variants, EncoderTest,
                         testing::Values("bert", "bert-tanh", "xlm-roberta", "roberta"),
                         VariantName);

TEST(EncoderKindTest, ALanguageModelIsNoEncoder) {
  const TempFolder folder;
  WriteGoldenModel("llama", folder.path() / "model");
  ThreadPool threads(1);
  EXPECT_THAT(ErrorText([&] {
                LoadEncoderAt(folder.path() / "model", {SelectKernelSet(), threads});
              }),
              HasSubstr("language model"));
}

}  // namespace
}  // namespace tome
