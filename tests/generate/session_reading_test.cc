// Tests two further results of a reading: the likelihood of its tokens, and where they attend.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "tests/generate/golden_session.h"

namespace tome {
namespace {

// Returns ln of the softmax at `token`, computed in long double and in another order.
double Expected(std::span<const float> logits, TokenId token) {
  long double sum = 0;
  for (auto at = logits.rbegin(); at != logits.rend(); ++at) {
    sum += std::exp(static_cast<long double>(*at) - logits[static_cast<size_t>(token)]);
  }
  return static_cast<double>(-std::log(sum));
}

// The tolerance of sums in double.
constexpr double kTolerance = 1e-12;
// The tolerance of log-probabilities is the one that LogProbability promises.
constexpr double kLogTolerance = 2e-6;

TEST(LogProbabilityTest, IsTheLogarithmOfTheSoftmax) {
  const auto log_probability = [](const std::vector<float>& logits, TokenId token) {
    return LogProbability(SelectKernelSet(), logits, token);
  };
  EXPECT_NEAR(log_probability(std::vector<float>(4, 7), 2), std::log(0.25), kLogTolerance);
  // The shares are e^0 : e^ln2 : e^ln5.
  const std::vector<float> shares{0, std::log(2.0F), std::log(5.0F)};
  EXPECT_NEAR(std::exp(log_probability(shares, 0)), 0.125, 1e-6);
  EXPECT_NEAR(std::exp(log_probability(shares, 1)), 0.25, 1e-6);
  EXPECT_NEAR(std::exp(log_probability(shares, 2)), 0.625, 1e-6);
  // exp of these logits alone is infinite or zero.
  EXPECT_NEAR(log_probability({3e4F, 3e4F}, 0), -std::log(2), kLogTolerance);
  EXPECT_NEAR(log_probability({-3e4F, -3e4F, -3e4F}, 2), -std::log(3), kLogTolerance);
  EXPECT_EQ(log_probability({0, -3e4F}, 1), -3e4);
  EXPECT_EQ(log_probability({0, -3e4F}, 0), 0);
}

class SessionReadingTest : public SessionTest {
 protected:
  std::vector<TokenId> Tokens(size_t count) const {
    std::vector<TokenId> tokens(count);
    for (size_t i = 0; i < count; ++i) tokens[i] = golden_.tokens[(i * 3) % golden_.tokens.size()];
    return tokens;
  }

  // Returns the log-probability of each of `tokens` by the logits of the tokens before it, read one
  // by one.
  std::vector<double> OneByOne(Session& session, std::span<const TokenId> tokens) const {
    std::vector<double> expected;
    for (const TokenId token : tokens) {
      if (!session.tokens().empty()) expected.push_back(Expected(session.logits(), token));
      session.Prefill({&token, 1}, {});
    }
    return expected;
  }

  static void ExpectNear(const std::vector<double>& values, const std::vector<double>& expected) {
    ASSERT_EQ(values.size(), expected.size());
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(values[i], expected[i], kLogTolerance) << "token " << i;
    }
  }
};

TEST_P(SessionReadingTest, LogProbabilitiesAreThoseOfTokensReadOneByOne) {
  // Readings are shorter than, as long as, and longer than a pass that gives all logits (128
  // tokens).
  for (const size_t count : {1, 2, 127, 128, 129, 300}) {
    const std::vector<TokenId> tokens = Tokens(count + 50);
    for (const size_t before : {size_t{0}, size_t{50}}) {
      Session single = NewSession();
      Session together = NewSession();
      single.Prefill(std::span(tokens).first(before), {});
      together.Prefill(std::span(tokens).first(before), {});
      const auto read = std::span(tokens).subspan(before, count);
      const std::vector<double> expected = OneByOne(single, read);
      // An empty session has no token before the first.
      EXPECT_EQ(expected.size(), before == 0 ? count - 1 : count);
      std::vector<double> values;
      const SessionReading reading{
          .session = &together, .tokens = read, .log_probabilities = &values};
      PrefillTogether({&reading, 1}, {});
      SCOPED_TRACE(testing::Message() << count << " tokens behind " << before);
      ASSERT_NO_FATAL_FAILURE(ExpectNear(values, expected));
      EXPECT_TRUE(std::ranges::equal(together.logits(), single.logits()));
      EXPECT_TRUE(std::ranges::equal(together.tokens(), single.tokens()));
    }
  }
}

TEST_P(SessionReadingTest, ReadingsOfOnePassHaveTheirOwn) {
  // Some readings ask for log-probabilities and some do not. They share passes, which are shorter
  // for those that ask.
  const std::vector<TokenId> tokens = Tokens(700);
  const std::vector<size_t> counts{3, 200, 40, 0, 150, 1, 130};
  std::vector<Session> sessions;
  std::vector<std::vector<double>> values(counts.size());
  std::vector<std::vector<double>> expected(counts.size());
  std::vector<AttentionTap> taps(counts.size());
  std::vector<AttentionTap> alone(counts.size());
  std::vector<SessionReading> readings;
  for (size_t i = 0; i < counts.size(); ++i) {
    sessions.push_back(NewSession());
    sessions.back().Prefill(std::span(tokens).first(i * 10), {});
  }
  for (size_t i = 0; i < counts.size(); ++i) {
    taps[i] = alone[i] = {.heads = {{.layer = 0, .head = 1}}, .spans = {{0, 40}}, .mass = {}};
    readings.push_back({.session = &sessions[i],
                        .tokens = std::span(tokens).subspan(i * 50, counts[i]),
                        .tap = i % 3 == 0 ? &taps[i] : nullptr,
                        .log_probabilities = i % 2 == 0 ? &values[i] : nullptr});
    Session session = sessions[i].Fork();
    const SessionReading reading{
        .session = &session, .tokens = readings[i].tokens, .tap = &alone[i]};
    PrefillTogether({&reading, 1}, {});
    Session single = sessions[i].Fork();
    expected[i] = OneByOne(single, readings[i].tokens);
  }
  PrefillTogether(readings, {});
  for (size_t i = 0; i < counts.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(sessions[i].tokens().size(), i * 10 + counts[i]);
    if (i % 2 == 0) {
      ASSERT_NO_FATAL_FAILURE(ExpectNear(values[i], expected[i]));
    } else {
      EXPECT_TRUE(values[i].empty());
    }
    if (i % 3 != 0) {
      EXPECT_TRUE(taps[i].mass.empty());
      continue;
    }
    // Passes that are cut elsewhere add up the same shares in another order.
    ASSERT_EQ(taps[i].mass.size(), alone[i].mass.size());
    for (size_t j = 0; j < taps[i].mass.size(); ++j) {
      EXPECT_NEAR(taps[i].mass[j], alone[i].mass[j], alone[i].mass[j] * kTolerance);
    }
  }
}

// After Truncate, the logits that the session had before must not count.
TEST_P(SessionReadingTest, NoTokenIsLikelyByLogitsThatAreForgotten) {
  const std::vector<TokenId> tokens = Tokens(150);
  Session session = NewSession();
  session.Prefill(tokens, {});
  const auto left = static_cast<size_t>(session.Truncate(100));
  ASSERT_EQ(left, session.memory().has_recurrent() ? 0U : 100U);
  Session single = NewSession();
  single.Prefill(std::span(tokens).first(left), {});
  std::vector<double> expected = OneByOne(single, std::span(tokens).subspan(left));
  if (left > 0) expected.erase(expected.begin());
  std::vector<double> values;
  const SessionReading reading{
      .session = &session, .tokens = std::span(tokens).subspan(left), .log_probabilities = &values};
  PrefillTogether({&reading, 1}, {});
  ASSERT_NO_FATAL_FAILURE(ExpectNear(values, expected));
}

TEST_P(SessionReadingTest, WhatIsAskedAboutIsReadThoughAStoreHasIt) {
  const std::vector<TokenId> tokens = Tokens(300);
  SnapshotStore store(folder_ / "kept", int64_t{1} << 30);
  const SnapshotOwner owner{.root = KeyOf("r"), .model = "m", .title = "t"};
  const auto session = [&] {
    Session with_store = NewSession();
    with_store.UseStore(store, owner);
    return with_store;
  };
  Session first = session();
  first.Prefill(tokens, {});
  Session plain = NewSession();
  const std::vector<double> expected = OneByOne(plain, tokens);
  Session scored = session();
  std::vector<double> values;
  const SessionReading likely{.session = &scored, .tokens = tokens, .log_probabilities = &values};
  PrefillTogether({&likely, 1}, {});
  ASSERT_NO_FATAL_FAILURE(ExpectNear(values, expected));
  if (!model_->facts().has_attention()) return;
  AttentionTap tap{.heads = {{.layer = 0, .head = 1}}, .spans = {{0, 300}}, .mass = {}};
  Session tapped = session();
  const SessionReading attending{.session = &tapped, .tokens = tokens, .tap = &tap};
  PrefillTogether({&attending, 1}, {});
  EXPECT_NEAR(tap.At(0, 0), 300, 300 * kTolerance);
}

// Passes that give all logits are short; still the whole reading is kept.
TEST_P(SessionReadingTest, KeepsWhatAPlainReadingKeeps) {
  const std::vector<TokenId> tokens = Tokens(1000);
  std::vector<double> values;
  const auto read = [&](Session& session, std::vector<double>* log_probabilities) {
    const SessionReading reading{
        .session = &session, .tokens = tokens, .log_probabilities = log_probabilities};
    PrefillTogether({&reading, 1}, {});
  };
  const auto kept = [&](const char* folder, std::vector<double>* log_probabilities) {
    SnapshotStore store(folder_ / folder, int64_t{1} << 30);
    Session session = NewSession(1024);
    session.UseStore(store, {.root = KeyOf("r"), .model = "m", .title = "t"});
    read(session, log_probabilities);
    return std::distance(std::filesystem::recursive_directory_iterator(folder_ / folder), {});
  };
  EXPECT_EQ(kept("scored", &values), kept("plain", nullptr));
}

INSTANTIATE_TEST_SUITE_P(Variants, SessionReadingTest,
                         testing::Values("llama", "gemma2", "mamba", "jamba"), VariantName);

}  // namespace
}  // namespace tome
