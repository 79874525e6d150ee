// Conversions keep what a model computes: against transformers and llama.cpp, and there and back.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"
#include "tome/kernels/kernel_set.h"
#include "tome/models/convert.h"
#include "tome/tensor/codec.h"

namespace tome {
namespace {

std::vector<float> LogitsOf(const std::filesystem::path& path, std::span<const TokenId> tokens) {
  ThreadPool threads(2);
  const Compute compute{SelectKernelSet(), threads};
  const auto model = LoadModel(std::make_shared<const Checkpoint>(Checkpoint::Open(path)));
  Memory memory =
      model->NewMemory({.kv = KvType::kF32, .max_tokens = static_cast<int64_t>(tokens.size())});
  const BatchItem item{.memory = &memory, .tokens = tokens, .logits = LogitsOf::kAll};
  const Tensor logits = model->Forward({&item, 1}, compute);
  return {logits.floats().begin(), logits.floats().end()};
}

// Largest difference relative to the largest magnitude of the row.
double Deviation(std::span<const float> row, std::span<const float> expected) {
  double largest = 0;
  double difference = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    largest = std::max(largest, std::abs(double{expected[i]}));
    const double here = std::abs(double{row[i]} - double{expected[i]});
    difference = std::isnan(here) ? HUGE_VAL : std::max(difference, here);
  }
  return difference / largest;
}

class ConvertGolden : public testing::TestWithParam<std::string> {
 protected:
  ConvertGolden() {
    WriteGoldenModel(GetParam(), folder_ / "hf");
    ConvertModel(Checkpoint::Open(folder_ / "hf"), folder_ / "model.gguf", {});
    golden_ = ReadGolden(GetParam());
  }
  TempFolder folder_;
  Golden golden_;
};

TEST_P(ConvertGolden, GgufAgreesWithTransformers) {
  constexpr double kTolerance = 1e-4;  // tests/golden/models/README.md
  const std::vector<float> logits = LogitsOf(folder_ / "model.gguf", golden_.tokens);
  ASSERT_EQ(logits.size(), golden_.logits.size());
  const size_t width = logits.size() / golden_.tokens.size();
  double worst = 0;
  for (size_t row = 0; row < logits.size(); row += width) {
    worst = std::max(worst, Deviation(std::span(logits).subspan(row, width),
                                      std::span(golden_.logits).subspan(row, width)));
  }
  EXPECT_LT(worst, kTolerance);
}

TEST_P(ConvertGolden, GgufAgreesWithLlamaCpp) {
  const auto path = GoldenFolder() / GetParam() / "llama_cpp.safetensors";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "llama.cpp does not run this variant";
  // ggml computes GELU through a table of halves: 8e-4 (tests/golden/models/README.md).
  const double tolerance = GetParam() == "gemma2" ? 2e-3 : 1e-4;
  const auto file = Checkpoint::Open(path);
  const auto lengths = ReadValues<int32_t>(*file.Find("lengths"));
  const auto logprobs = ReadValues<float>(*file.Find("logprobs"));
  const size_t width = logprobs.size() / lengths.size();
  for (size_t i = 0; i < lengths.size(); ++i) {
    const auto length = static_cast<size_t>(lengths[i]);
    const std::vector<float> logits =
        LogitsOf(folder_ / "model.gguf", std::span(golden_.tokens).first(length));
    std::vector<float> row(logits.end() - static_cast<int64_t>(width), logits.end());
    const double largest_logit = std::abs(double{*std::max_element(
        row.begin(), row.end(), [](float a, float b) { return std::abs(a) < std::abs(b); })});
    double total = 0;
    for (const float logit : row) total += std::exp(double{logit});
    for (size_t j = 0; j < width; ++j) {
      const double logprob = double{row[j]} - std::log(total);
      EXPECT_NEAR(logprob, double{logprobs[i * width + j]}, tolerance * largest_logit)
          << "after " << length << " tokens, token " << j;
    }
  }
}

TEST_P(ConvertGolden, ThereAndBackComputesTheSame) {
  ConvertModel(Checkpoint::Open(folder_ / "model.gguf"), folder_ / "back", {});
  const auto tokens = std::span(golden_.tokens).first(200);
  const auto there = LogitsOf(folder_ / "hf", tokens);
  const auto back = LogitsOf(folder_ / "back", tokens);
  ASSERT_EQ(there.size(), back.size());
  // Settings pass through 32-bit floats in GGUF, weights stay as they are.
  EXPECT_LT(Deviation(back, there), 1e-5);
  const Checkpoint first = Checkpoint::Open(folder_ / "hf");
  const Checkpoint last = Checkpoint::Open(folder_ / "back");
  ASSERT_EQ(first.tensors().size(), last.tensors().size());
  for (const auto& [name, tensor] : first.tensors()) {
    const TensorView other = last.Bind(name, tensor.shape);
    if (GetParam() == "gemma2" && name.ends_with("norm.weight")) continue;  // 1 + w rounds
    EXPECT_TRUE(std::ranges::equal(tensor.raw(), other.raw())) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, ConvertGolden, testing::ValuesIn(GoldenVariants()),
                         [](const auto& variant) {
                           std::string name = variant.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// A model of hidden size 256, so that every type has whole blocks.
void WriteWideModel(const std::filesystem::path& folder) {
  const std::string text =
      R"({"model_type": "llama", "hidden_size": 256, "intermediate_size": 512, "vocab_size": 64,
          "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
          "max_position_embeddings": 512, "rms_norm_eps": 1e-3, "rope_theta": 10000.0,
          "tie_word_embeddings": false})";
  std::filesystem::create_directories(folder);
  WriteFile(folder / "config.json", text);
  const auto tensors = GoldenTensors(nlohmann::json::parse(text));
  SafetensorsWriter writer(folder / "model.safetensors", tensors, {});
  for (const TensorPlan& tensor : tensors) {
    const auto values = GoldenTensor(tensor.name, static_cast<size_t>(tensor.shape.rows()),
                                     static_cast<size_t>(tensor.shape.row_elements()), "llama");
    writer.Write(std::as_bytes(std::span<const float>(values)));
  }
  writer.Finish();
}

class ConvertType : public testing::TestWithParam<DType> {};

TEST_P(ConvertType, QuantizedWeightsComputeAsTheirDecodedValues) {
  const TempFolder folder;
  WriteWideModel(folder / "hf");
  ConvertModel(Checkpoint::Open(folder / "hf"), folder / "type.gguf",
               {.type = GetParam(), .control = {}});
  const Checkpoint converted = Checkpoint::Open(folder / "type.gguf");
  EXPECT_EQ(converted.Find("blk.0.ffn_up.weight")->dtype, GetParam());
  EXPECT_EQ(converted.Find("blk.0.attn_norm.weight")->dtype, DType::kF32);
  ConvertModel(converted, folder / "decoded.gguf", {.type = DType::kF32, .control = {}});
  std::vector<TokenId> tokens;
  for (TokenId i = 0; i < 64; ++i) tokens.push_back(i * 7 % 64);
  const auto quantized = LogitsOf(folder / "type.gguf", tokens);
  const auto decoded = LogitsOf(folder / "decoded.gguf", tokens);
  // What a kernel set may add: activations rounded to 8 bits in an integer product. The definition
  // adds nothing.
  EXPECT_LT(Deviation(quantized, decoded), SelectKernelSet().name == "generic" ? 1e-6 : 3e-2);
  // And the type itself costs what its bits allow.
  const auto exact = LogitsOf(folder / "hf", tokens);
  const double cost = Deviation(quantized, exact);
  const double bits = 8.0 * static_cast<double>(TraitsOf(GetParam()).block_bytes) /
                      static_cast<double>(TraitsOf(GetParam()).block_elements);
  EXPECT_LT(cost, std::min(0.7, 12 * std::pow(2.0, -bits))) << bits << " bits";
  if (GetParam() != DType::kF32) EXPECT_GT(cost, 0);
}

INSTANTIATE_TEST_SUITE_P(Types, ConvertType,
                         testing::Values(DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_0,
                                         DType::kQ4_1, DType::kQ5_0, DType::kQ5_1, DType::kQ4_K,
                                         DType::kQ5_K, DType::kQ6_K),
                         [](const auto& type) { return std::string(NameOf(type.param)); });

TEST(Convert, QuantizedTypesDoNotFitSafetensors) {
  const TempFolder folder;
  WriteWideModel(folder / "hf");
  ConvertModel(Checkpoint::Open(folder / "hf"), folder / "q.gguf",
               {.type = DType::kQ8_0, .control = {}});
  const Checkpoint quantized = Checkpoint::Open(folder / "q.gguf");
  EXPECT_TRUE(Fails(Code::kUnsupported, [&] { ConvertModel(quantized, folder / "no", {}); }));
  EXPECT_FALSE(std::filesystem::exists(folder / "no"));
}

TEST(Convert, RowsThatDoNotFillBlocksFallBackAndSaySo) {
  const TempFolder folder;
  WriteGoldenModel("llama", folder / "hf");  // 64 wide: no K type fits
  const Converted converted = ConvertModel(Checkpoint::Open(folder / "hf"), folder / "k.gguf",
                                           {.type = DType::kQ4_K, .control = {}});
  EXPECT_FALSE(converted.notes.empty());
  EXPECT_EQ(Checkpoint::Open(folder / "k.gguf").Find("blk.0.ffn_up.weight")->dtype, DType::kQ8_0);
}

TEST(Convert, CancelledLeavesNothing) {
  const TempFolder folder;
  WriteWideModel(folder / "hf");
  std::stop_source stop;
  stop.request_stop();
  const ConvertOptions options{.type = std::nullopt,
                               .control = {.stop = stop.get_token(), .progress = {}}};
  const Checkpoint in = Checkpoint::Open(folder / "hf");
  for (const char* out : {"a.gguf", "b"}) {
    EXPECT_TRUE(Fails(Code::kCancelled, [&] { ConvertModel(in, folder / out, options); }));
    EXPECT_FALSE(std::filesystem::exists(folder / out));
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

}  // namespace
}  // namespace tome
