// Compares RetNet with the logits that torchscale computed, in its parallel form and in double
// precision (tests/golden/retnet/README.md).
#include "tome/models/retnet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <span>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"
#include "tome/kernels/kernel_set.h"

namespace tome {
namespace {

constexpr double kTolerance = 1e-4;

std::filesystem::path RetNetFolder() {
  return std::filesystem::path(TOME_SOURCE_DIR) / "tests/golden/retnet";
}

nlohmann::json ConfigOf(const std::string& variant) {
  return nlohmann::json::parse(ReadText(RetNetFolder() / variant / "config.json"));
}

std::vector<TensorPlan> TorchscaleTensors(const nlohmann::json& config) {
  const int64_t d = config.at("decoder_embed_dim");
  const int64_t f = config.at("decoder_ffn_embed_dim");
  const int64_t v = config.at("decoder_value_embed_dim");
  const int64_t vocabulary = config.at("vocab_size");
  std::vector<TensorPlan> tensors;
  const auto add = [&](const std::string& name, Shape shape) {
    tensors.push_back({.name = name, .dtype = DType::kF32, .shape = shape});
  };
  add("embed_tokens.weight", {vocabulary, d});
  if (config.value("layernorm_embedding", false)) add("layernorm_embedding.weight", {d});
  for (int64_t l = 0; l < config.at("decoder_layers").get<int64_t>(); ++l) {
    const std::string layer = "layers." + std::to_string(l) + ".";
    add(layer + "retention.q_proj.weight", {d, d});
    add(layer + "retention.k_proj.weight", {d, d});
    add(layer + "retention.v_proj.weight", {v, d});
    add(layer + "retention.g_proj.weight", {v, d});
    add(layer + "retention.out_proj.weight", {d, v});
    add(layer + "retention_layer_norm.weight", {d});
    add(layer + "ffn.fc1.weight", {f, d});
    add(layer + "ffn.fc2.weight", {d, f});
    add(layer + "ffn.gate.weight", {f, d});
    add(layer + "final_layer_norm.weight", {d});
  }
  if (!config.value("deepnorm", false)) add("layer_norm.weight", {d});
  if (!config.at("share_decoder_input_output_embed").get<bool>()) {
    add("output_projection.weight", {vocabulary, d});
  }
  return tensors;
}

std::vector<TensorPlan> FlaTensors(const nlohmann::json& config) {
  const int64_t d = config.at("hidden_size");
  const int64_t f = config.at("intermediate_size");
  const auto keys = static_cast<int64_t>(double(d) * config.at("expand_k").get<double>());
  const auto values = static_cast<int64_t>(double(d) * config.at("expand_v").get<double>());
  const int64_t heads = config.at("num_heads");
  const int64_t vocabulary = config.at("vocab_size");
  std::vector<TensorPlan> tensors;
  const auto add = [&](const std::string& name, Shape shape) {
    tensors.push_back({.name = name, .dtype = DType::kF32, .shape = shape});
  };
  add("model.embeddings.weight", {vocabulary, d});
  for (int64_t l = 0; l < config.at("num_hidden_layers").get<int64_t>(); ++l) {
    const std::string layer = "model.layers." + std::to_string(l) + ".";
    add(layer + "attn_norm.weight", {d});
    add(layer + "attn.q_proj.weight", {keys, d});
    add(layer + "attn.k_proj.weight", {keys, d});
    add(layer + "attn.v_proj.weight", {values, d});
    add(layer + "attn.g_proj.weight", {values, d});
    add(layer + "attn.g_norm_swish_gate.weight", {values / heads});
    add(layer + "attn.o_proj.weight", {d, values});
    add(layer + "mlp_norm.weight", {d});
    add(layer + "mlp.gate_proj.weight", {f, d});
    add(layer + "mlp.up_proj.weight", {f, d});
    add(layer + "mlp.down_proj.weight", {d, f});
  }
  add("model.norm.weight", {d});
  add("lm_head.weight", {vocabulary, d});
  return tensors;
}

void WriteModel(const nlohmann::json& config, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << config.dump();
  const bool torchscale = config.contains("decoder_embed_dim");
  WriteGoldenTensors(folder / "model.safetensors",
                     torchscale ? TorchscaleTensors(config) : FlaTensors(config), "retnet");
}

class RetNetTest : public GoldenModelTest {
 protected:
  void SetUp() override {
    WriteModel(ConfigOf(GetParam()), folder_.path() / "model");
    model_ = LoadModelIn(folder_.path() / "model", compute_);
    golden_ = ReadGoldenIn(RetNetFolder() / GetParam());
  }
};

TEST_P(RetNetTest, AgreesWithItsReference) {
  Memory memory = model_->NewMemory({});
  const std::vector<float> logits = Logits(memory, 512);
  ExpectAgreement(logits, golden_, *model_, kTolerance);
}

TEST_P(RetNetTest, DoesNotDependOnHowTheTokensAreCut) {
  Memory whole = model_->NewMemory({});
  const std::vector<float> expected = Logits(whole, 512);
  for (const int64_t chunk : {1, 37, 64}) {
    Memory memory = model_->NewMemory({});
    EXPECT_EQ(Logits(memory, chunk), expected) << "passes of " << chunk;
    EXPECT_EQ(memory.bytes(), whole.bytes());
  }
}

TEST_P(RetNetTest, RemembersAnyLengthInTheSameBytes) {
  Memory memory = model_->NewMemory({});
  const auto read = [&](size_t count) {
    const BatchItem item{.memory = &memory,
                         .tokens = std::span(golden_.tokens).first(count),
                         .logits = LogitsOf::kNone};
    model_->Forward({&item, 1}, compute_);
    return memory.bytes();
  };
  const int64_t bytes = read(1);
  EXPECT_EQ(read(100), bytes);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(read(512), bytes);
  EXPECT_EQ(memory.length(), 1 + 100 + 8 * 512);
}

TEST_P(RetNetTest, GreedyContinuationAgrees) {
  constexpr size_t kPrompt = 64;
  Memory memory = model_->NewMemory({});
  EXPECT_EQ(GreedyTokens(*model_, memory, std::span(golden_.tokens).first(kPrompt),
                         golden_.greedy.size(), compute_),
            golden_.greedy);
}

TEST_P(RetNetTest, ForksAndBatchesAreIndependent) {
  const std::span<const TokenId> tokens(golden_.tokens);
  Memory memory = model_->NewMemory({});
  const BatchItem prompt{.memory = &memory, .tokens = tokens.first(50), .logits = LogitsOf::kNone};
  model_->Forward({&prompt, 1}, compute_);
  Memory fork = memory.Fork();
  const std::array<BatchItem, 2> both{
      BatchItem{.memory = &memory, .tokens = tokens.subspan(50, 33), .logits = LogitsOf::kLast},
      BatchItem{.memory = &fork, .tokens = tokens.subspan(100, 7), .logits = LogitsOf::kLast}};
  const Tensor together = model_->Forward(both, compute_);
  std::vector<float> alone;
  for (const BatchItem& item : both) {
    Memory own = model_->NewMemory({});
    std::vector<TokenId> all(tokens.begin(), tokens.begin() + 50);
    all.insert(all.end(), item.tokens.begin(), item.tokens.end());
    const BatchItem single{.memory = &own, .tokens = all, .logits = LogitsOf::kLast};
    const Tensor row = model_->Forward({&single, 1}, compute_);
    alone.insert(alone.end(), row.floats().begin(), row.floats().end());
  }
  EXPECT_EQ(std::vector<float>(together.floats().begin(), together.floats().end()), alone);
}

std::vector<std::string> Variants() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(RetNetFolder())) {
    if (std::filesystem::exists(entry.path() / "config.json")) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Variants, RetNetTest, testing::ValuesIn(Variants()),
                         [](const auto& variant) {
                           std::string name = variant.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(RetNetConfig, RefusesWhatItDoesNotRun) {
  ThreadPool threads(1);
  const Compute compute{SelectKernelSet(), threads};
  const auto load = [&](const std::string& variant, const nlohmann::json& changes) {
    const TempFolder folder;
    WriteModel(ConfigOf(variant), folder.path() / "model");
    nlohmann::json config = ConfigOf(variant);
    config.update(changes);
    std::ofstream(folder.path() / "model" / "config.json") << config.dump();
    LoadModel(std::make_shared<const Checkpoint>(Checkpoint::Open(folder.path() / "model")),
              compute);
  };
  const auto error = [&](const std::string& variant, const nlohmann::json& changes) {
    return ErrorText([&] { load(variant, changes); });
  };
  using testing::HasSubstr;
  EXPECT_THAT(error("swish", {{"moe_freq", 2}}), HasSubstr("moe_freq"));
  EXPECT_THAT(error("swish", {{"activation_fn", "relu"}}), HasSubstr("activation_fn"));
  EXPECT_THAT(error("swish", {{"decoder_retention_heads", 7}}), HasSubstr("evenly"));
  EXPECT_THAT(error("swish", {{"layernorm_eps", "small"}}), HasSubstr("layernorm_eps"));
  EXPECT_THAT(error("swish", {{"decoder_value_embed_dim", 64}}), HasSubstr("retention.v_proj"));
  EXPECT_THAT(error("fla", {{"num_kv_heads", 2}}), HasSubstr("num_kv_heads"));
  EXPECT_THAT(error("fla", {{"use_short_conv", true}}), HasSubstr("use_short_conv"));
}

}  // namespace
}  // namespace tome
