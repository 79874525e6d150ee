#include "tome/answer/ability.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"

namespace tome {
namespace {

Ability SomeAbility() {
  return {.heads = {{.layer = 3, .head = 1}, {.layer = 17, .head = 8}},
          .head_rank = 0.8125,
          .amount = EvidenceAmount::kSentences,
          .reliable_tokens = 4096,
          .right_log_probability = -0.1234567890123,
          .wrong_log_probability = -1.5,
          .from_sentence = 23.0 / 24,
          .from_sentences = 22.0 / 24,
          .from_text = 7.0 / 24};
}

TEST(Ability, IsKeptAsAText) {
  EXPECT_EQ(AbilityFromText(ToText(SomeAbility())), SomeAbility());
  EXPECT_EQ(AbilityFromText(ToText({})), Ability());
  for (const EvidenceAmount amount : kEvidenceAmounts) {
    Ability ability;
    ability.amount = amount;
    EXPECT_EQ(AbilityFromText(ToText(ability)), ability);
  }
}

TEST(Ability, ADamagedTextIsNone) {
  const std::string text = ToText(SomeAbility());
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(AbilityFromText(text.substr(0, size))) << size;
  }
  const auto json = nlohmann::json::parse(text);
  for (const auto& [name, value] : json.items()) {
    auto without = json;
    without.erase(name);
    EXPECT_FALSE(AbilityFromText(without.dump())) << name;
    auto other = json;
    other[name] = nlohmann::json::object({{"a", 1}});
    EXPECT_FALSE(AbilityFromText(other.dump())) << name;
  }
  for (const char* other : {"", "null", "[]", "{}", "1", "\xFF", "nothing of use"}) {
    EXPECT_FALSE(AbilityFromText(other)) << other;
  }
  for (const nlohmann::json& number : {nlohmann::json(-1), nlohmann::json(1e300),
                                       nlohmann::json(0.5), nlohmann::json(uint64_t{1} << 63)}) {
    auto damaged = json;
    damaged["heads"][0][0] = number;
    EXPECT_FALSE(AbilityFromText(damaged.dump())) << number;
    damaged = json;
    damaged["reliable_tokens"] = number;
    EXPECT_FALSE(AbilityFromText(damaged.dump())) << number;
  }
  // An amount of another version is measured again and not guessed.
  auto other = json;
  other["amount"] = "book";
  EXPECT_FALSE(AbilityFromText(other.dump()));
}

TEST(Ability, PassagesAreReadableForEveryModel) {
  EXPECT_EQ(ReadableTokens({}), 800);
  EXPECT_EQ(ReadableTokens(SomeAbility()), 4096);
}

// The golden model with a vocabulary of bytes, which answers no question.
class AbilityModelTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::filesystem::path path = folder_ / "model";
    std::filesystem::create_directories(path);
    auto config = nlohmann::json::parse(ReadText(GoldenFolder() / GetParam() / "config.json"));
    config["vocab_size"] = 320;
    std::ofstream(path / "config.json") << config.dump();
    WriteGoldenTensors(path / "model.safetensors", GoldenTensors(config), config.at("model_type"));
    std::ofstream(path / "tokenizer.json") << ByteTokenizer().dump();
    model_ = LanguageModel::Open(path, 2);
  }

  // A vocabulary of GPT-2's letters for bytes, without merges.
  static nlohmann::json ByteTokenizer() {
    nlohmann::json vocabulary;
    int others = 0;
    for (int byte = 0; byte < 256; ++byte) {
      const bool printable = (byte > 32 && byte < 127) || (byte > 160 && byte != 173);
      const int letter = printable ? byte : 256 + others++;
      std::string utf8;
      if (letter < 0x80) {
        utf8 = static_cast<char>(letter);
      } else {
        utf8 = {static_cast<char>(0xC0 | (letter >> 6)), static_cast<char>(0x80 | (letter & 63))};
      }
      vocabulary[utf8] = byte;
    }
    vocabulary["</s>"] = 256;
    const nlohmann::json level{{"type", "ByteLevel"},
                               {"add_prefix_space", false},
                               {"trim_offsets", true},
                               {"use_regex", true}};
    const nlohmann::json end{{"id", 256},           {"content", "</s>"}, {"special", true},
                             {"normalized", false}, {"lstrip", false},   {"rstrip", false},
                             {"single_word", false}};
    return {
        {"version", "1.0"},
        {"truncation", nullptr},
        {"padding", nullptr},
        {"added_tokens", nlohmann::json::array({end})},
        {"normalizer", nullptr},
        {"pre_tokenizer", level},
        {"post_processor", nullptr},
        {"decoder", level},
        {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", nlohmann::json::array()}}}};
  }

  TempFolder folder_;
  std::unique_ptr<LanguageModel> model_;
};

TEST_P(AbilityModelTest, IsFoundOutTheSameEveryTime) {
  for (const PromptLanguage language : {PromptLanguage::kEnglish, PromptLanguage::kChinese}) {
    std::set<std::string> reported;
    const WorkControl control{
        .stop = {},
        .progress = [&](std::string_view what, uint64_t, uint64_t) { reported.emplace(what); }};
    const Ability ability = TestAbility(*model_, language, control);
    EXPECT_EQ(TestAbility(*model_, language, {}), ability);
    EXPECT_EQ(reported, std::set<std::string>{"testing the model"});
    // Random weights answer no question.
    EXPECT_EQ(ability.from_sentence + ability.from_sentences + ability.from_text, 0);
    EXPECT_EQ(ability.amount, EvidenceAmount::kSentence);
    EXPECT_EQ(ability.reliable_tokens, 0);
    EXPECT_LT(ability.right_log_probability, 0);
    EXPECT_LE(ability.head_rank, 1);
    EXPECT_EQ(AbilityFromText(ToText(ability)), ability);
  }
}

TEST_P(AbilityModelTest, KnowsTheHeadsOfItsModel) {
  const ModelFacts& facts = model_->model().facts();
  EXPECT_TRUE(HasHeadsOf(TestAbility(*model_, PromptLanguage::kEnglish, {}), facts));
  EXPECT_TRUE(HasHeadsOf({}, facts));
  const bool attends = GetParam() == "llama";
  EXPECT_EQ(HasHeadsOf({.heads = {{.layer = 2, .head = 3}}}, facts), attends);
  // The golden model has three layers of four heads.
  EXPECT_FALSE(HasHeadsOf({.heads = {{.layer = 3, .head = 0}}}, facts));
  EXPECT_FALSE(HasHeadsOf({.heads = {{.layer = 0, .head = 0}, {.layer = 0, .head = 4}}}, facts));
  EXPECT_FALSE(HasHeadsOf({.heads = {{.layer = -1, .head = 0}}}, facts));
}

TEST_P(AbilityModelTest, CanBeStopped) {
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(
      TestAbility(*model_, PromptLanguage::kEnglish, {.stop = source.get_token(), .progress = {}}),
      Error);
}

INSTANTIATE_TEST_SUITE_P(Variants, AbilityModelTest, testing::Values("llama", "mamba"));

}  // namespace
}  // namespace tome
