// Provides sessions over the golden models, with a tokenizer of single characters.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/models/golden_model.h"
#include "tome/generate/session.h"

namespace tome {

// Returns a vocabulary of the golden models' size. Ids 0 to 62 are single characters; id 63 ends a
// text.
inline VocabularySpec LetterVocabulary() {
  VocabularySpec spec;
  spec.model = "llama";
  for (char c = 0; c < 63; ++c) spec.tokens.emplace_back(1, static_cast<char>('!' + c));
  spec.tokens.emplace_back("</s>");
  spec.scores.assign(64, 0.0F);
  spec.token_types.assign(63, static_cast<int32_t>(TokenType::kNormal));
  spec.token_types.push_back(static_cast<int32_t>(TokenType::kControl));
  spec.bos = 63;
  spec.eos = 63;
  spec.unknown = 0;
  spec.add_bos = false;
  spec.add_space_prefix = false;
  return spec;
}
inline std::unique_ptr<Tokenizer> LetterTokenizer() {
  return Tokenizer::Create(LetterVocabulary());
}

inline std::string VariantName(const testing::TestParamInfo<std::string>& variant) {
  std::string name = variant.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class SessionTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string variant =
        testing::UnitTest::GetInstance()->current_test_info()->value_param() != nullptr ? GetParam()
                                                                                        : "llama";
    WriteGoldenModel(variant, folder_ / "model");
    model_ = LoadModel(std::make_shared<const Checkpoint>(Checkpoint::Open(folder_ / "model")),
                       {SelectKernelSet(), threads_});
    golden_ = ReadGolden(variant);
  }

  Session NewSession(int64_t max_tokens = 512) {
    return {*model_, *tokenizer_, Compute{SelectKernelSet(), threads_},
            model_->NewMemory({.kv = KvType::kF32, .max_tokens = max_tokens})};
  }

  // Returns the golden's first 64 tokens, its greedy tokens and the first 64 again, so that prompt
  // lookup finds a repeat.
  std::vector<TokenId> Prompt() const {
    std::vector<TokenId> prompt(golden_.tokens.begin(), golden_.tokens.begin() + 64);
    prompt.insert(prompt.end(), golden_.greedy.begin(), golden_.greedy.end());
    prompt.insert(prompt.end(), golden_.tokens.begin(), golden_.tokens.begin() + 64);
    return prompt;
  }

  TempFolder folder_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Tokenizer> tokenizer_ = LetterTokenizer();
  Golden golden_;
  ThreadPool threads_{2};
};

}  // namespace tome
