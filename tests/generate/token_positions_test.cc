#include "tome/generate/token_positions.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/models/published_vocabulary.h"
#include "tests/text/tiny_vocabulary.h"
#include "tome/models/tokenizer_of.h"

namespace tome {
namespace {

std::vector<TokenId> Encode(const Tokenizer& tokenizer, std::string_view text) {
  return tokenizer.Encode(text, Specials::kLiteral, {});
}

// Span is a pair of numbers, which a failed expectation prints.
using Span = std::pair<int64_t, int64_t>;
Span Of(const TokenPositions& positions, size_t begin, size_t end) {
  const PositionSpan span = positions.Of(begin, end);
  return {span.begin, span.end};
}

// Checks for pieces of `text` that the tokens of a piece cover it, and that its first and last
// token are needed.
void ExpectEveryPiece(const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<TokenId> tokens = Encode(tokenizer, text);
  const TokenPositions positions(tokenizer, tokens);
  const std::optional<size_t> at = positions.Find(text);
  ASSERT_TRUE(at) << text;
  std::vector<size_t> ends;
  std::string all;
  for (const TokenId token : tokens) ends.push_back((all += tokenizer.TokenBytes(token)).size());
  ASSERT_EQ(all.substr(*at, text.size()), text);
  for (size_t begin = *at; begin < all.size(); begin += 3) {
    for (size_t end = begin + 1; end <= all.size(); end += 5) {
      const PositionSpan span = positions.Of(begin, end);
      ASSERT_LT(span.begin, span.end);
      const size_t before = span.begin == 0 ? 0 : ends[static_cast<size_t>(span.begin - 1)];
      const size_t last = ends[static_cast<size_t>(span.end - 1)];
      ASSERT_LE(before, begin);
      ASSERT_GT(ends[static_cast<size_t>(span.begin)], begin);
      ASSERT_GE(last, end);
      ASSERT_LT(span.end < 2 ? 0 : ends[static_cast<size_t>(span.end - 2)], end);
    }
  }
}

class TinyTokenPositionsTest : public testing::Test {
 protected:
  // " ab" and "abc" are tokens; all other text is single bytes.
  std::unique_ptr<Tokenizer> bytes_ = Tokenizer::Create(TinyByteLevel({"a b", "Ġ ab", "ab c"}));
  std::unique_ptr<Tokenizer> pieces_ =
      Tokenizer::Create(TinySentencePiece({{"ab", -1}, {"▁ab", -0.5F}, {"abc", -0.7F}}));
};

TEST_F(TinyTokenPositionsTest, FindsTheTokensOfAText) {
  // The tokens are x| ab|c| ab|.|abc: the last "abc" is one token, as no space precedes its "ab".
  const std::vector<TokenId> tokens = Encode(*bytes_, "x abc ab.abc");
  ASSERT_EQ(tokens.size(), 6U);
  const TokenPositions positions(*bytes_, tokens);
  EXPECT_EQ(positions.Find("x"), 0U);
  EXPECT_EQ(positions.Find("abc"), 2U);
  EXPECT_EQ(positions.Find("abc", 3), 9U);
  EXPECT_EQ(positions.FindLast("abc"), 9U);
  EXPECT_EQ(positions.FindLast("ab"), 9U);
  EXPECT_EQ(positions.FindLast(" ab"), 5U);
  EXPECT_EQ(Of(positions, 0, 1), (Span{0, 1}));
  EXPECT_EQ(Of(positions, 2, 5), (Span{1, 3}));    // begins inside " ab"
  EXPECT_EQ(Of(positions, 1, 4), (Span{1, 2}));    // exactly " ab"
  EXPECT_EQ(Of(positions, 4, 5), (Span{2, 3}));    // after it
  EXPECT_EQ(Of(positions, 10, 11), (Span{5, 6}));  // inside "abc"
  EXPECT_EQ(Of(positions, 3, 10), (Span{1, 6}));   // from inside " ab" to inside "abc"
  EXPECT_EQ(Of(positions, 0, 12), (Span{0, 6}));
}

TEST_F(TinyTokenPositionsTest, WhatIsNotThereIsNotFound) {
  const TokenPositions positions(*bytes_, Encode(*bytes_, "x abc"));
  EXPECT_EQ(positions.Find("abd"), std::nullopt);
  EXPECT_EQ(positions.FindLast("abcx"), std::nullopt);
  EXPECT_EQ(positions.Find("x", 1), std::nullopt);
  EXPECT_EQ(positions.Find("x", 100), std::nullopt);
  const TokenPositions empty(*bytes_, {});
  EXPECT_EQ(empty.Find("a"), std::nullopt);
  EXPECT_EQ(Of(empty, 0, 0), (Span{0, 0}));
}

// A span of no bytes has no tokens, and neither has one after the end.
TEST_F(TinyTokenPositionsTest, NoBytesHaveNoTokens) {
  const TokenPositions positions(*bytes_, Encode(*bytes_, "x abc"));
  for (const size_t at : {0, 1, 2, 4, 5}) {
    const PositionSpan span = positions.Of(at, at);
    EXPECT_EQ(span.begin, span.end) << at;
  }
  const PositionSpan behind = positions.Of(5, 9);
  EXPECT_EQ(behind.begin, behind.end);
}

// Special tokens stand among the others as text of their own, as in a prompt from a template.
TEST_F(TinyTokenPositionsTest, SpecialTokensStandBetween) {
  const std::vector<TextPiece> pieces{{"<s>", Specials::kParse},
                                      {"abc<s>", Specials::kLiteral},
                                      {"<|end|>", Specials::kParse},
                                      {"abc", Specials::kLiteral}};
  const std::vector<TokenId> tokens = bytes_->Encode(pieces, {.add_special = false});
  const TokenPositions positions(*bytes_, tokens);
  const auto first = positions.Find("abc");
  const auto last = positions.FindLast("abc");
  ASSERT_TRUE(first && last);
  EXPECT_EQ(Of(positions, *first, *first + 3), (Span{1, 2}));
  EXPECT_EQ(Of(positions, *last, *last + 3), (Span{std::ssize(tokens) - 1, std::ssize(tokens)}));
}

TEST_F(TinyTokenPositionsTest, ACharacterOfSeveralTokensHasThemAll) {
  for (const Tokenizer* tokenizer : {bytes_.get(), pieces_.get()}) {
    // The character has three bytes, each a token.
    const std::vector<TokenId> tokens = Encode(*tokenizer, "a玉b");
    const TokenPositions positions(*tokenizer, tokens);
    const auto at = positions.Find("玉");
    ASSERT_TRUE(at);
    const PositionSpan span = positions.Of(*at, *at + 3);
    EXPECT_EQ(span.end - span.begin, 3);
    EXPECT_EQ(Of(positions, *at + 1, *at + 2), (Span{span.begin + 1, span.begin + 2}));
  }
}

TEST_F(TinyTokenPositionsTest, SentencePieceWritesASpaceBeforeTheText) {
  const std::vector<TokenId> tokens = Encode(*pieces_, "ab abc");
  const TokenPositions positions(*pieces_, tokens);
  EXPECT_EQ(positions.Find("ab"), positions.Find(" ab").value() + 1);
  const auto last = positions.FindLast("abc");
  ASSERT_TRUE(last);
  EXPECT_EQ(positions.Of(*last, *last + 3).end, std::ssize(tokens));
  ASSERT_NO_FATAL_FAILURE(ExpectEveryPiece(*pieces_, "ab abc 石头 a"));
  ASSERT_NO_FATAL_FAILURE(ExpectEveryPiece(*bytes_, "ab abc 石头 a"));
}

class PublishedTokenPositionsTest : public PublishedVocabularyTest {};

TEST_P(PublishedTokenPositionsTest, TheTokensOfEveryPieceHoldIt) {
  const auto tokenizer = TokenizerOf(Checkpoint::Open(path_));
  for (const char* text :
       {"Who finds the letter? Elinor does, on the 3rd of May 1813;  behind the clock.\n\n\tOh!",
        "通灵宝玉上刻着什么字？莫失莫忘，仙寿恒昌。", "naïve “quotes” — 石头记 🙂 and   spaces",
        "The letter. The letter. The letter"}) {
    ASSERT_NO_FATAL_FAILURE(ExpectEveryPiece(*tokenizer, text));
  }
}

TEST_P(PublishedTokenPositionsTest, SentencesStandWhereTheirTokensAre) {
  const auto tokenizer = TokenizerOf(Checkpoint::Open(path_));
  const std::string sentence = "通灵宝玉上刻着八个字。";
  const std::vector<TextPiece> pieces{
      {"Read this: "}, {sentence}, {" And then: "}, {sentence}, {"\n"}};
  const std::vector<TokenId> tokens = tokenizer->Encode(pieces, {});
  const TokenPositions positions(*tokenizer, tokens);
  const auto first = positions.Find(sentence);
  const auto last = positions.FindLast(sentence);
  ASSERT_TRUE(first && last);
  EXPECT_EQ(positions.Find(sentence, *first + 1), last);
  for (const size_t at : {*first, *last}) {
    const PositionSpan span = positions.Of(at, at + sentence.size());
    std::string text;
    for (int64_t i = span.begin; i < span.end; ++i) {
      text += tokenizer->TokenBytes(tokens[static_cast<size_t>(i)]);
    }
    EXPECT_NE(text.find(sentence), std::string::npos) << text;
    EXPECT_LE(text.size(), sentence.size() + 12) << text;  // at most a token before or after
  }
  EXPECT_EQ(positions.Find("通灵宝玉上刻着九个字"), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Published, PublishedTokenPositionsTest,
                         testing::Values("gpt-2", "deepseek-llm", "llama-spm"), VocabularyName);

}  // namespace
}  // namespace tome
