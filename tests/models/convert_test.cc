// Conversions keep a model's results, compared with transformers, llama.cpp and converting back.
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

// Returns the logits of all tokens. Memories are made for 512 tokens, however few are read:
// LongRoPE chooses its factors by that number, as llama.cpp chooses them by its context.
std::vector<float> LogitsOf(const std::filesystem::path& path, std::span<const TokenId> tokens,
                            const KernelSet& kernels = SelectKernelSet()) {
  ThreadPool threads(2);
  const Compute compute{kernels, threads};
  const auto model = LoadModel(std::make_shared<const Checkpoint>(Checkpoint::Open(path)), compute);
  Memory memory = model->NewMemory({.kv = KvType::kF32, .max_tokens = 512});
  const BatchItem item{.memory = &memory, .tokens = tokens, .logits = LogitsOf::kAll};
  const Tensor logits = model->Forward({&item, 1}, compute);
  return {logits.floats().begin(), logits.floats().end()};
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
  EXPECT_LT(WorstDeviation(logits, golden_.logits, width), kTolerance);
}

TEST_P(ConvertGolden, GgufAgreesWithLlamaCpp) {
  const auto path = GoldenFolder() / GetParam() / "llama_cpp.safetensors";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "llama.cpp does not run this variant";
  // ggml computes GELU through a table of halves, which costs 8e-4 (tests/golden/models/README.md).
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
  // Settings pass through 32-bit floats in GGUF; weights are unchanged.
  EXPECT_LT(WorstDeviation(back, there, there.size()), 1e-5);
  const Checkpoint first = Checkpoint::Open(folder_ / "hf");
  const Checkpoint last = Checkpoint::Open(folder_ / "back");
  ASSERT_EQ(first.tensors().size(), last.tensors().size());
  for (const auto& [name, tensor] : first.tensors()) {
    const TensorView other = last.Bind(name, tensor.shape);
    if (GetParam() == "gemma2" && name.ends_with("norm.weight")) continue;  // 1 + w rounds
    EXPECT_TRUE(std::ranges::equal(tensor.raw(), other.raw())) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, ConvertGolden, testing::ValuesIn(DenseVariants()),
                         [](const auto& variant) {
                           std::string name = variant.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// Writes a model of hidden size 256, so that every type has whole blocks.
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

// Returns the bits of a weight's value that survive the type, including the sign where the type has
// one.
int PrecisionOf(DType type) {
  switch (type) {
    case DType::kF16:
      return 11;
    case DType::kBF16:
    case DType::kQ8_0:
      return 8;
    case DType::kQ6_K:
      return 6;
    case DType::kQ5_0:
    case DType::kQ5_1:
    case DType::kQ5_K:
      return 5;
    default:
      return 4;
  }
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
  // The `generic` set rounds nothing but the weights.
  const KernelSet& generic = *AvailableKernelSets().back();
  const auto quantized = LogitsOf(folder / "type.gguf", tokens, generic);
  const auto decoded = LogitsOf(folder / "decoded.gguf", tokens, generic);
  EXPECT_LT(WorstDeviation(quantized, decoded, decoded.size()), 1e-6);
  // A fast set adds at least the rounding of activations to 8 bits. The bound has the form of the
  // one below.
  const auto fast = LogitsOf(folder / "type.gguf", tokens);
  EXPECT_LT(WorstDeviation(fast, decoded, decoded.size()), 8 * std::pow(2.0, -7));
  // The type itself costs what its bits allow: rounding to b bits changes a weight by up to 2^-b of
  // the largest weight near it. Some hundred roundings and two sharp layers make the rest of the
  // factor.
  const auto exact = LogitsOf(folder / "hf", tokens, generic);
  const double cost = WorstDeviation(quantized, exact, exact.size());
  RecordProperty("cost", std::to_string(cost));
  EXPECT_LT(cost, 8 * std::pow(2.0, -PrecisionOf(GetParam())));
  EXPECT_GT(cost, 0);
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
  WriteGoldenModel("llama", folder / "hf");  // 64 wide, so no K type fits
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
