// Compares every architecture and RoPE variant with logits that transformers computed.
// tests/golden/models/README.md says how they were made, and why the tolerance is 1e-4.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "tests/models/golden_model.h"
#include "tome/kernels/kernel_set.h"

namespace tome {
namespace {

constexpr double kTolerance = 1e-4;

class GoldenLogits : public GoldenModelTest {
 protected:
  void SetUp() override {
    WriteGoldenModel(GetParam(), folder_.path() / "model");
    model_ = LoadModelIn(folder_.path() / "model", compute_);
    golden_ = ReadGolden(GetParam());
  }

  Memory NewMemory(int64_t max_tokens) const {
    return model_->NewMemory({.kv = KvType::kF32, .max_tokens = max_tokens});
  }
};

TEST_P(GoldenLogits, AgreeWithTransformers) {
  Memory memory = NewMemory(static_cast<int64_t>(golden_.tokens.size()));
  const std::vector<float> logits = Logits(memory, 512);
  ExpectAgreement(logits, golden_, *model_, kTolerance);
}

TEST_P(GoldenLogits, DoNotDependOnHowTheTokensAreCut) {
  Memory whole = NewMemory(512);
  Memory single = NewMemory(512);
  Memory odd = NewMemory(512);
  const std::vector<float> expected = Logits(whole, 512);
  EXPECT_EQ(Logits(single, 1), expected);
  EXPECT_EQ(Logits(odd, 37), expected);
}

TEST_P(GoldenLogits, GreedyContinuationAgreesWithTransformers) {
  constexpr size_t kPrompt = 64;
  Memory memory = NewMemory(static_cast<int64_t>(kPrompt + golden_.greedy.size()));
  EXPECT_EQ(GreedyTokens(*model_, memory, std::span(golden_.tokens).first(kPrompt),
                         golden_.greedy.size(), compute_),
            golden_.greedy);
}

INSTANTIATE_TEST_SUITE_P(Variants, GoldenLogits, testing::ValuesIn(GoldenVariants()),
                         [](const auto& variant) {
                           std::string name = variant.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(GoldenWeights, AreThoseOfTheScript) {
  const auto json = nlohmann::json::parse(ReadText(GoldenFolder() / "golden.json"));
  ASSERT_FALSE(json.at("weights").empty());
  for (const auto& weight : json.at("weights")) {
    const std::string name = weight.at("name");
    const auto shape = weight.at("shape").get<std::vector<size_t>>();
    const float value =
        GoldenWeight(GoldenHash(name), weight.at("index").get<uint64_t>(),
                     GoldenScaleOf(name, shape.back(), weight.at("model_type").get<std::string>()));
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    EXPECT_EQ(fmt::format("{:08x}", bits), weight.at("bits").get<std::string>()) << name;
  }
}

}  // namespace
}  // namespace tome
