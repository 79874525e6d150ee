#include "tome/generate/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "tests/expect_error.h"

namespace tome {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TokenId Next(const SamplingOptions& options, const std::vector<float>& logits,
             std::vector<TokenId> history = {}) {
  return Sampler(options).Next(logits, static_cast<int64_t>(logits.size()), history);
}

// Counts how often each token is drawn.
std::map<TokenId, int> Draws(const SamplingOptions& options, const std::vector<float>& logits,
                             int count) {
  Sampler sampler(options);
  std::map<TokenId, int> draws;
  for (int i = 0; i < count; ++i) {
    ++draws[sampler.Next(logits, static_cast<int64_t>(logits.size()), {})];
  }
  return draws;
}

TEST(Sampler, GreedyTakesTheLargestAndTheLowestIdAmongEquals) {
  EXPECT_EQ(Next({}, {1, 3, 2}), 1);
  EXPECT_EQ(Next({}, {2, 5, 5, 1}), 1);
}

TEST(Sampler, NeverChoosesWhatIsNoNumberOrPadding) {
  EXPECT_EQ(Next({}, {kNan, 1, kInfinity, -kInfinity}), 1);
  EXPECT_EQ(Sampler({}).Next(std::vector<float>{1, 2, 9}, 2, {}), 1);
  EXPECT_TRUE(Fails(Code::kCorrupt, [] { Next({}, {kNan, kNan}); }));
}

TEST(Sampler, ChoosesOnlyWhatIsAllowed) {
  TokenSet allowed(4);
  allowed.Add(0);
  allowed.Add(2);
  const std::vector<float> logits{1, 9, 2, 8};
  EXPECT_EQ(Sampler({}).Next(logits, 4, {}, &allowed), 2);
  // The penalty must not make a forbidden token win over an allowed one.
  EXPECT_EQ(
      Sampler({.repetition_penalty = 4}).Next(logits, 4, std::vector<TokenId>{2, 1}, &allowed), 0);
  Sampler drawing({.temperature = 5});
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(allowed.Has(drawing.Next(logits, 4, {}, &allowed)));
}

TEST(Sampler, DrawsByTheSoftmaxOfTheTemperature) {
  const std::vector<float> logits{0, 1, 2, -1};
  constexpr int kDraws = 40000;
  for (const double temperature : {0.5, 1.0, 2.0}) {
    SCOPED_TRACE(temperature);
    double total = 0;
    for (const float logit : logits) total += std::exp(double{logit} / temperature);
    auto draws = Draws({.temperature = temperature, .seed = 7}, logits, kDraws);
    for (size_t i = 0; i < logits.size(); ++i) {
      const double p = std::exp(double{logits[i]} / temperature) / total;
      // The tolerance is five standard deviations of a binomial count.
      EXPECT_NEAR(draws[static_cast<TokenId>(i)], p * kDraws, 5 * std::sqrt(kDraws * p * (1 - p)));
    }
  }
}

TEST(Sampler, CutsKeepWhatTheySay) {
  // The probabilities are 0.4, 0.3, 0.2 and 0.1, not in this order.
  const std::vector<float> logits{std::log(0.2F), std::log(0.4F), std::log(0.1F), std::log(0.3F)};
  const auto kept = [&](SamplingOptions options) {
    options.temperature = 1;
    std::vector<TokenId> tokens;
    for (const auto& [token, count] : Draws(options, logits, 2000)) tokens.push_back(token);
    return tokens;
  };
  EXPECT_THAT(kept({}), testing::ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(kept({.top_k = 2}), testing::ElementsAre(1, 3));
  EXPECT_THAT(kept({.top_p = 0.65}), testing::ElementsAre(1, 3));
  EXPECT_THAT(kept({.top_p = 0.75}), testing::ElementsAre(0, 1, 3));
  EXPECT_THAT(kept({.top_p = 0.01}), testing::ElementsAre(1));
  EXPECT_THAT(kept({.min_p = 0.45}), testing::ElementsAre(0, 1, 3));
  EXPECT_THAT(kept({.min_p = 1}), testing::ElementsAre(1));
}

TEST(Sampler, RepetitionIsPunishedWithinTheWindow) {
  const SamplingOptions options{.repetition_penalty = 2, .repetition_window = 2};
  EXPECT_EQ(Next(options, {3, 2}, {0}), 1);        // 3 / 2 < 2
  EXPECT_EQ(Next(options, {-1, -1.5F}, {0}), 1);   // -1 · 2 < -1.5
  EXPECT_EQ(Next(options, {3, 2}, {0, 5, 6}), 0);  // too long ago
}

TEST(Sampler, TheSameSeedGivesTheSameTokens) {
  const std::vector<float> logits(50, 1.0F);
  const auto sequence = [&](uint64_t seed) {
    Sampler sampler({.temperature = 1, .seed = seed});
    std::vector<TokenId> tokens;
    for (int i = 0; i < 20; ++i) tokens.push_back(sampler.Next(logits, 50, {}));
    return tokens;
  };
  EXPECT_EQ(sequence(1), sequence(1));
  EXPECT_NE(sequence(1), sequence(2));
}

TEST(Sampler, OptionsWithoutMeaningAreNamed) {
  EXPECT_THAT(ErrorText([] { CheckSamplingOptions({.temperature = -1}); }),
              testing::HasSubstr("temperature"));
  EXPECT_THAT(ErrorText([] { CheckSamplingOptions({.temperature = NAN}); }),
              testing::HasSubstr("temperature"));
  EXPECT_THAT(ErrorText([] { CheckSamplingOptions({.top_k = -1}); }), testing::HasSubstr("top-k"));
  EXPECT_THAT(ErrorText([] { CheckSamplingOptions({.top_p = 0}); }), testing::HasSubstr("top-p"));
  EXPECT_THAT(ErrorText([] { CheckSamplingOptions({.min_p = 2}); }), testing::HasSubstr("min-p"));
  EXPECT_THAT(ErrorText([] { CheckSamplingOptions({.repetition_penalty = 0}); }),
              testing::HasSubstr("repetition penalty"));
}

}  // namespace
}  // namespace tome
