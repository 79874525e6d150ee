#include "tome/generate/token_mask.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>

#include "tests/expect_error.h"
#include "tests/generate/golden_session.h"

namespace tome {
namespace {

using testing::ElementsAre;

constexpr TokenId kEnd = 63;  // of the tokenizer of single characters

std::vector<TokenId> AllowedBy(const TokenMask& mask) {
  TokenSet set(64);
  mask.AddAllowed(set);
  std::vector<TokenId> tokens;
  for (TokenId id = 0; id < 64; ++id) {
    if (set.Has(id)) tokens.push_back(id);
  }
  EXPECT_EQ(set.empty(), tokens.empty());
  return tokens;
}

TEST(TokenSetTest, HoldsIdsOfTheVocabularyOnly) {
  TokenSet set(70);
  EXPECT_TRUE(set.empty());
  for (const TokenId id : {-1, 70, 1 << 30}) {
    set.Add(id);
    EXPECT_FALSE(set.Has(id));
  }
  EXPECT_TRUE(set.empty());
  set.Add(69);
  EXPECT_TRUE(set.Has(69) && !set.Has(68) && !set.empty());
  std::vector<float> scores(70, 1.0F);
  set.KeepOnly(scores);
  EXPECT_EQ(std::count(scores.begin(), scores.end(), 1.0F), 1);
  EXPECT_EQ(scores[69], 1.0F);
  EXPECT_EQ(scores[0], -std::numeric_limits<float>::infinity());
  set.Clear();
  EXPECT_TRUE(set.empty());
  set.AddAll();
  for (TokenId id = 0; id < 70; ++id) EXPECT_TRUE(set.Has(id));
  EXPECT_FALSE(set.Has(70));
}

TEST(ChoiceMaskTest, AllowsWhatContinuesAChoice) {
  ChoiceMask mask({{1, 2, 3}, {1, 4}, {5}}, {});
  EXPECT_THAT(AllowedBy(mask), ElementsAre(1, 5));
  EXPECT_EQ(mask.chosen(), -1);
  mask.Accept(1);
  EXPECT_THAT(AllowedBy(mask), ElementsAre(2, 4));
  mask.Accept(4);
  EXPECT_THAT(AllowedBy(mask), ElementsAre());
  EXPECT_EQ(mask.chosen(), 1);
}

TEST(ChoiceMaskTest, AnEndTellsTheChoiceThatAnotherBeginsWith) {
  const std::vector<TokenId> ends{kEnd};
  const std::vector<std::vector<TokenId>> choices{{1}, {1, 2}};
  ChoiceMask mask(choices, ends);
  EXPECT_THAT(AllowedBy(mask), ElementsAre(1));
  mask.Accept(1);
  EXPECT_THAT(AllowedBy(mask), ElementsAre(2, kEnd));
  ChoiceMask other = mask;
  mask.Accept(2);
  EXPECT_EQ(mask.chosen(), 1);
  EXPECT_THAT(AllowedBy(mask), ElementsAre());
  other.Accept(kEnd);
  EXPECT_EQ(other.chosen(), 0);
  EXPECT_THAT(AllowedBy(other), ElementsAre());
  // A choice may contain the end token itself.
  ChoiceMask with_end({{1, kEnd}, {1, 2}}, ends);
  with_end.Accept(1);
  with_end.Accept(kEnd);
  EXPECT_EQ(with_end.chosen(), 0);
}

TEST(ChoiceMaskTest, ChoicesWithoutMeaningAreErrors) {
  const std::vector<TokenId> ends{kEnd};
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { ChoiceMask({}, ends); }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { ChoiceMask({{1}, {}}, ends); }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { ChoiceMask({{1, kEnd, 2}}, ends); }));
}

// Allows two thirds of the vocabulary, a different set after each token, and no end.
class ChangingMask : public TokenMask {
 public:
  void AddAllowed(TokenSet& allowed) const override {
    for (TokenId id = 0; id < kEnd; ++id) {
      if ((id * 7 + sum_) % 3 != 0) allowed.Add(id);
    }
  }
  void Accept(TokenId token) override {
    TokenSet allowed(64);
    AddAllowed(allowed);
    EXPECT_TRUE(allowed.Has(token)) << token;
    sum_ = (sum_ * 5 + token + 1) % 1000;
    accepted.push_back(token);
  }

  std::vector<TokenId> accepted;

 private:
  TokenId sum_ = 0;
};

class NothingMask : public TokenMask {
 public:
  void AddAllowed(TokenSet&) const override {}
  void Accept(TokenId) override { ADD_FAILURE() << "nothing was allowed"; }
};

class AllMask : public TokenMask {
 public:
  void AddAllowed(TokenSet& allowed) const override { allowed.AddAll(); }
  void Accept(TokenId) override {}
};

class MaskedSessionTest : public SessionTest {
 protected:
  Generated Generate(TokenMask* mask, Speculation speculation, double temperature = 0) {
    Session session = NewSession();
    session.Prefill(Prompt(), {});
    const Generated generated = session.Generate({.sampling = {.temperature = temperature},
                                                  .max_tokens = 80,
                                                  .stops = {},
                                                  .speculation = speculation,
                                                  .mask = mask,
                                                  .stop = {}},
                                                 {});
    EXPECT_EQ(session.memory().length(), static_cast<int64_t>(session.tokens().size()));
    return generated;
  }
};

TEST_P(MaskedSessionTest, DraftsPassTheMaskTokenByToken) {
  ChangingMask plain;
  ChangingMask drafted;
  const Generated expected = Generate(&plain, Speculation::kNone);
  const Generated generated = Generate(&drafted, Speculation::kPromptLookup);
  EXPECT_EQ(generated.tokens, expected.tokens);
  EXPECT_EQ(generated.text, expected.text);
  EXPECT_EQ(generated.finish, FinishReason::kMaxTokens);
  EXPECT_EQ(drafted.accepted, expected.tokens);
  EXPECT_EQ(plain.accepted, expected.tokens);
  EXPECT_NE(expected.tokens, Generate(nullptr, Speculation::kNone).tokens);
}

TEST_P(MaskedSessionTest, AllowingAllChangesNothing) {
  AllMask all;
  for (const auto speculation : {Speculation::kNone, Speculation::kPromptLookup}) {
    const Generated expected = Generate(nullptr, speculation);
    const Generated generated = Generate(&all, speculation);
    EXPECT_EQ(generated.tokens, expected.tokens);
    EXPECT_EQ(generated.finish, expected.finish);
  }
}

TEST_P(MaskedSessionTest, WritesOneOfTheChoices) {
  std::vector<TokenId> quoted(golden_.tokens.begin(), golden_.tokens.begin() + 20);
  std::replace(quoted.begin(), quoted.end(), kEnd, TokenId{0});
  const std::vector<std::vector<TokenId>> choices{{7, 8, 9}, {7, 8, 10, 11}, quoted};
  for (const double temperature : {0.0, 1.0}) {
    for (const auto speculation : {Speculation::kNone, Speculation::kPromptLookup}) {
      ChoiceMask mask(choices, tokenizer_->end_of_generation());
      const Generated generated = Generate(&mask, speculation, temperature);
      EXPECT_EQ(generated.finish, FinishReason::kComplete);
      ASSERT_GE(mask.chosen(), 0);
      EXPECT_EQ(generated.tokens, choices[static_cast<size_t>(mask.chosen())]);
      EXPECT_EQ(generated.text, tokenizer_->Decode(generated.tokens));
      // The last token is not computed, because no token follows it.
      EXPECT_LT(generated.forward_passes, std::ssize(generated.tokens));
    }
  }
}

TEST_P(MaskedSessionTest, AllowingNothingEndsTheTextAtOnce) {
  NothingMask nothing;
  const Generated generated = Generate(&nothing, Speculation::kPromptLookup);
  EXPECT_EQ(generated.finish, FinishReason::kComplete);
  EXPECT_TRUE(generated.tokens.empty() && generated.text.empty());
  EXPECT_EQ(generated.forward_passes, 0);
}

TEST_P(MaskedSessionTest, MasksOfSessionsThatGoOnTogetherAreTheirOwn) {
  ChangingMask alone;
  const Generated expected = Generate(&alone, Speculation::kNone);
  Session first = NewSession();
  first.Prefill(Prompt(), {});
  Session second = first.Fork();
  Session third = first.Fork();
  ChangingMask mask;
  ChoiceMask choice({{3, 4, 5}}, tokenizer_->end_of_generation());
  const auto options = [](TokenMask* own) {
    return GenerateOptions{.sampling = {}, .max_tokens = 80, .stops = {}, .mask = own, .stop = {}};
  };
  const std::vector<SessionWriting> writings{
      {.session = &first, .options = options(&mask), .sink = {}},
      {.session = &second, .options = options(&choice), .sink = {}},
      {.session = &third, .options = options(nullptr), .sink = {}}};
  const std::vector<Generated> generated = GenerateTogether(writings);
  EXPECT_EQ(generated[0].tokens, expected.tokens);
  EXPECT_THAT(generated[1].tokens, ElementsAre(3, 4, 5));
  EXPECT_EQ(generated[2].tokens, Generate(nullptr, Speculation::kNone).tokens);
}

INSTANTIATE_TEST_SUITE_P(Variants, MaskedSessionTest, testing::ValuesIn(GoldenVariants()),
                         VariantName);

}  // namespace
}  // namespace tome
