// Compares Infini-attention with a double-precision reference written from the paper
// (tests/golden/infini/README.md).
#include "tome/models/infini.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <span>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"
#include "tome/kernels/kernel_set.h"
#include "tome/models/convert.h"

namespace tome {
namespace {

constexpr double kTolerance = 1e-4;

std::filesystem::path InfiniFolder() {
  return std::filesystem::path(TOME_SOURCE_DIR) / "tests/golden/infini";
}

nlohmann::json ConfigOf(const std::string& variant) {
  return nlohmann::json::parse(ReadText(InfiniFolder() / variant / "config.json"));
}

// Writes the dense model's tensors and, for a model with Infini-attention, its gates. `gate`
// replaces the values of all gates.
void WriteModel(const nlohmann::json& config, const std::filesystem::path& folder,
                std::optional<float> gate = {}) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << config.dump();
  nlohmann::json dense = config;
  const std::string type = config.at("model_type");
  const bool infini = type.starts_with("infini_");
  if (infini) dense["model_type"] = type.substr(7);
  std::vector<TensorPlan> tensors = GoldenTensors(dense);
  if (infini) {
    for (int64_t l = 0; l < config.at("num_hidden_layers").get<int64_t>(); ++l) {
      tensors.push_back({.name = LayerName(kInfiniGate, l),
                         .dtype = DType::kF32,
                         .shape = {config.at("num_attention_heads").get<int64_t>()}});
    }
  }
  WriteGoldenTensors(folder / "model.safetensors", tensors, "infini",
                     [&](const std::string& name, std::span<float> values) {
                       if (gate && name.ends_with(".gate")) std::ranges::fill(values, *gate);
                     });
}

class InfiniTest : public GoldenModelTest {
 protected:
  void SetUp() override {
    WriteModel(ConfigOf(GetParam()), folder_.path() / "model");
    model_ = LoadModelIn(folder_.path() / "model", compute_);
    golden_ = ReadGoldenIn(InfiniFolder() / GetParam());
  }

  std::vector<float> LogitsIn(int64_t chunk) {
    Memory memory = model_->NewMemory({.kv = KvType::kF32});
    return Logits(memory, chunk);
  }
};

TEST_P(InfiniTest, AgreesWithThePaper) {
  const std::vector<float> logits = LogitsIn(512);
  ExpectAgreement(logits, golden_, *model_, kTolerance);
}

TEST_P(InfiniTest, DoesNotDependOnHowTheTokensAreCut) {
  const std::vector<float> expected = LogitsIn(512);
  for (const int64_t chunk : {1, 37, 50, 64, 300}) {
    EXPECT_EQ(LogitsIn(chunk), expected) << "passes of " << chunk;
  }
}

TEST_P(InfiniTest, RemembersAnyLengthInTheSameBytes) {
  Memory memory = model_->NewMemory({});
  const int64_t most = MemoryBytes(model_->facts(), memory.kv().type(), 1 << 20) +
                       RecurrentBytes(model_->facts().recurrent);  // plus the state being written
  for (int i = 0; i < 8; ++i) {
    const BatchItem item{.memory = &memory, .tokens = golden_.tokens, .logits = LogitsOf::kNone};
    model_->Forward({&item, 1}, compute_);
    EXPECT_LE(memory.bytes(), most);
  }
  EXPECT_EQ(memory.length(), 8 * 512);
}

TEST_P(InfiniTest, GreedyContinuationAgrees) {
  constexpr size_t kPrompt = 200;
  Memory memory = model_->NewMemory({.kv = KvType::kF32});
  EXPECT_EQ(GreedyTokens(*model_, memory, std::span(golden_.tokens).first(kPrompt),
                         golden_.greedy.size(), compute_),
            golden_.greedy);
}

// Tokens forgotten at the end of a segment are no part of a softmax, which is all that a tap
// counts.
TEST_P(InfiniTest, ATapStaysEmpty) {
  Memory memory = model_->NewMemory({});
  AttentionTap tap{.heads = {{.layer = 0, .head = 0}}, .spans = {{0, 300}}, .mass = {}};
  const BatchItem item{.memory = &memory, .tokens = golden_.tokens, .tap = &tap};
  model_->Forward({&item, 1}, compute_);
  EXPECT_GT(memory.segment(), 0);
  EXPECT_EQ(tap.At(0, 0), 0);
}

TEST_P(InfiniTest, SequencesOfABatchEndTheirSegmentsWhereTheyAre) {
  const std::span<const TokenId> tokens(golden_.tokens);
  Memory memory = model_->NewMemory({});
  const BatchItem prompt{.memory = &memory, .tokens = tokens.first(30), .logits = LogitsOf::kNone};
  model_->Forward({&prompt, 1}, compute_);
  Memory fork = memory.Fork();
  const std::array<BatchItem, 2> both{
      BatchItem{.memory = &memory, .tokens = tokens.subspan(30, 133), .logits = LogitsOf::kAll},
      BatchItem{.memory = &fork, .tokens = tokens.subspan(200, 7), .logits = LogitsOf::kLast}};
  const Tensor together = model_->Forward(both, compute_);
  std::vector<float> alone;
  for (const BatchItem& item : both) {
    Memory own = model_->NewMemory({});
    model_->Forward(std::array{BatchItem{
                        .memory = &own, .tokens = tokens.first(30), .logits = LogitsOf::kNone}},
                    compute_);
    const BatchItem single{.memory = &own, .tokens = item.tokens, .logits = item.logits};
    const Tensor rows = model_->Forward({&single, 1}, compute_);
    alone.insert(alone.end(), rows.floats().begin(), rows.floats().end());
  }
  EXPECT_EQ(std::vector<float>(together.floats().begin(), together.floats().end()), alone);
  EXPECT_EQ(memory.length(), 163);
}

TEST_P(InfiniTest, WithClosedGatesASegmentIsTheDenseModel) {
  nlohmann::json config = ConfigOf(GetParam());
  config["infini"]["segment_length"] = 600;
  WriteModel(config, folder_.path() / "closed", -100.0F);
  nlohmann::json dense = config;
  dense["model_type"] = config.at("model_type").get<std::string>().substr(7);
  WriteModel(dense, folder_.path() / "dense");
  const auto closed = LoadModelIn(folder_.path() / "closed", compute_);
  const auto whole = LoadModelIn(folder_.path() / "dense", compute_);
  Memory a = closed->NewMemory({.kv = KvType::kF32});
  Memory b = whole->NewMemory({.kv = KvType::kF32, .max_tokens = 512});
  EXPECT_EQ(LogitsInPasses(*closed, a, golden_.tokens, 512, compute_),
            LogitsInPasses(*whole, b, golden_.tokens, 512, compute_));
}

INSTANTIATE_TEST_SUITE_P(Variants, InfiniTest,
                         testing::Values("llama-linear", "qwen2-delta", "qwen3-delta"),
                         [](const auto& variant) {
                           std::string name = variant.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(InfiniConvert, AddsGatesToADenseModel) {
  const TempFolder folder;
  WriteGoldenModel("qwen3", folder.path() / "dense");
  const Checkpoint dense = Checkpoint::Open(folder.path() / "dense");
  ConvertModel(dense, folder.path() / "infini",
               {.type = {}, .infini = InfiniConfig{.segment = 100, .delta = true}, .control = {}});
  const auto config = nlohmann::json::parse(ReadText(folder.path() / "infini" / "config.json"));
  EXPECT_EQ(config.at("model_type"), "infini_qwen3");
  EXPECT_EQ(config.at("infini"), (nlohmann::json{{"segment_length", 100}, {"update", "delta"}}));
  ThreadPool threads(2);
  const Compute compute{SelectKernelSet(), threads};
  const auto model = LoadModelIn(folder.path() / "infini", compute);
  EXPECT_EQ(model->facts().architecture, "infini-qwen3");
  EXPECT_EQ(model->facts().segment_tokens, 100);
  Memory memory = model->NewMemory({});
  const Golden golden = ReadGolden("qwen3");
  const std::vector<float> logits = LogitsInPasses(*model, memory, golden.tokens, 512, compute);
  EXPECT_TRUE(std::all_of(logits.begin(), logits.end(), [](float x) { return std::isfinite(x); }));
  EXPECT_THAT(ErrorText([&] {
                ConvertModel(dense, folder.path() / "x.gguf",
                             {.type = {}, .infini = InfiniConfig{}, .control = {}});
              }),
              testing::HasSubstr("folder"));
  EXPECT_THAT(ErrorText([&] {
                ConvertModel(Checkpoint::Open(folder.path() / "infini"), folder.path() / "x.gguf",
                             {});
              }),
              testing::HasSubstr("no GGUF form"));
  WriteGoldenModel("gemma2", folder.path() / "gemma");
  EXPECT_THAT(ErrorText([&] {
                ConvertModel(Checkpoint::Open(folder.path() / "gemma"), folder.path() / "y",
                             {.type = {}, .infini = InfiniConfig{}, .control = {}});
              }),
              testing::HasSubstr("not to gemma2"));
  WriteGoldenModel("mistral", folder.path() / "mistral");
  EXPECT_THAT(ErrorText([&] {
                ConvertModel(Checkpoint::Open(folder.path() / "mistral"), folder.path() / "y",
                             {.type = {}, .infini = InfiniConfig{}, .control = {}});
              }),
              testing::HasSubstr("sliding window"));
}

TEST(InfiniConfig, SaysWhatIsWrong) {
  ThreadPool threads(1);
  const Compute compute{SelectKernelSet(), threads};
  const auto error = [&](const nlohmann::json& changes) {
    const TempFolder folder;
    nlohmann::json config = ConfigOf("llama-linear");
    config.merge_patch(changes);
    WriteModel(config, folder.path() / "model");
    return ErrorText([&] { LoadModelIn(folder.path() / "model", compute); });
  };
  using testing::HasSubstr;
  EXPECT_THAT(error({{"infini", {{"segment_length", 0}}}}), HasSubstr("infini.segment_length"));
  EXPECT_THAT(error({{"infini", {{"update", "cubic"}}}}), HasSubstr("infini.update"));
  EXPECT_THAT(error({{"infini", {{"eps", -1}}}}), HasSubstr("infini.eps"));
  EXPECT_THAT(error({{"sliding_window", 50}}), HasSubstr("sliding window"));
}

}  // namespace
}  // namespace tome
