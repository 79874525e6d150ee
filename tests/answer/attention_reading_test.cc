#include "tome/answer/attention_reading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tome/text/vocabulary_spec.h"

namespace tome {
namespace {

using testing::ElementsAre;

// The vocabulary has a token for each character, and one token of two characters.
std::unique_ptr<Tokenizer> Letters() {
  VocabularySpec spec;
  spec.model = "llama";
  for (char c = ' '; c < '~'; ++c) spec.tokens.emplace_back(1, c);
  spec.tokens.emplace_back(".b");
  spec.tokens.emplace_back("</s>");
  spec.scores.assign(spec.tokens.size(), 0.0F);
  spec.token_types.assign(spec.tokens.size(), static_cast<int32_t>(TokenType::kNormal));
  spec.token_types.back() = static_cast<int32_t>(TokenType::kControl);
  spec.bos = spec.eos = static_cast<TokenId>(spec.tokens.size() - 1);
  spec.unknown = 0;
  spec.add_bos = false;
  spec.add_space_prefix = false;
  return Tokenizer::Create(std::move(spec));
}

class AttentionReadingTest : public testing::Test {
 protected:
  std::vector<TokenId> Encode(std::string_view text) {
    return tokenizer_->Encode(text, Specials::kLiteral, {.add_special = false});
  }
  std::unique_ptr<Tokenizer> tokenizer_ = Letters();
};

TEST_F(AttentionReadingTest, TextsAreFoundOneBehindTheOther) {
  // The question stands in the text as well, and one text is given twice.
  const std::vector<TokenId> tokens = Encode("xaa-who?-aa-cc-who?");
  const std::vector<std::string_view> texts{"aa", "aa", "cc"};
  const auto located = LocateIn(*tokenizer_, tokens, texts, "who?");
  ASSERT_TRUE(located);
  ASSERT_EQ(located->texts.size(), 3U);
  EXPECT_EQ(located->texts[0].begin, 1);
  EXPECT_EQ(located->texts[0].end, 3);
  EXPECT_EQ(located->texts[1].begin, 9);
  EXPECT_EQ(located->texts[2].begin, 12);
  EXPECT_EQ(located->question_begin, 15);
}

TEST_F(AttentionReadingTest, ATokenAtABorderIsTheFirstTextsAlone) {
  const std::vector<TokenId> tokens = Encode("a.bb who?");
  ASSERT_LT(tokens.size(), 9U);  // ".b" is one token
  const std::vector<std::string_view> texts{"a.", "bb"};
  const auto located = LocateIn(*tokenizer_, tokens, texts, "who?");
  ASSERT_TRUE(located);
  EXPECT_EQ(located->texts[0].end, 2);
  EXPECT_EQ(located->texts[1].begin, 2);
  EXPECT_EQ(located->texts[1].end, 3);
}

TEST_F(AttentionReadingTest, WhatDoesNotStandThereIsNotFound) {
  const std::vector<TokenId> tokens = Encode("aa-cc-who?-dd");
  const auto found = [&](std::vector<std::string_view> texts, std::string_view question) {
    return LocateIn(*tokenizer_, tokens, texts, question).has_value();
  };
  EXPECT_TRUE(found({"aa", "cc"}, "who?"));
  EXPECT_FALSE(found({"cc", "aa"}, "who?"));
  EXPECT_FALSE(found({"aa", "bb"}, "who?"));
  EXPECT_FALSE(found({"aa"}, "when?"));
  EXPECT_FALSE(found({"dd"}, "who?"));  // the text stands after the question
}

TEST_F(AttentionReadingTest, ATapAddsUpOverItsHeads) {
  const std::vector<TokenId> tokens = Encode("aa-cc-who?");
  const std::vector<std::string_view> texts{"aa", "cc"};
  const auto located = LocateIn(*tokenizer_, tokens, texts, "who?");
  ASSERT_TRUE(located);
  const std::vector<AttentionHead> heads{{0, 1}, {2, 0}};
  AttentionTap tap = TapOf(*located, heads);
  EXPECT_EQ(tap.heads, heads);
  EXPECT_EQ(tap.first_position, 6);
  EXPECT_THAT(SumOfHeads(tap), ElementsAre(0, 0));  // before anything was read
  tap.mass = {0.5, 0.25, 0.125, 1};
  EXPECT_THAT(SumOfHeads(tap), ElementsAre(0.625, 1.25));
}

}  // namespace
}  // namespace tome
