#include "tome/eval/speed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"

namespace tome {
namespace {

class SpeedTest : public testing::Test {
 protected:
  SpeedTest() {
    WriteGoldenModel("llama", folder_ / "model");
    model_ = LoadModel(std::make_shared<const Checkpoint>(Checkpoint::Open(folder_ / "model")),
                       compute_);
  }

  // Measures, and records how much work each report adds.
  std::vector<SpeedAtDepth> Measure(const SpeedOptions& options) {
    work_.clear();
    total_ = 0;
    const auto report = [&, done = uint64_t{0}](std::string_view, uint64_t now,
                                                uint64_t total) mutable {
      work_.push_back(static_cast<int64_t>(now - done));
      total_ = static_cast<int64_t>(total);
      done = now;
    };
    return MeasureSpeed(*model_, compute_, limits_, options, {.stop = {}, .progress = report});
  }

  // Returns the seconds that the limits allow for reading `count` tokens after `depth` others into
  // a memory of 16 bits or more, by the formula of speed.h.
  double SecondsToRead(int64_t depth, int64_t count, KvType kv) const {
    const ModelFacts& facts = model_->facts();
    double elements = 0;
    for (const LinearWeights& weights : facts.linear) {
      elements += static_cast<double>(weights.elements);
    }
    double pairs = 0;
    for (int64_t i = 1; i <= count; ++i) pairs += static_cast<double>(depth + i);
    const double rate = kv == KvType::kF32 ? limits_.f32_per_second : limits_.bf16_per_second;
    return 2 * elements * static_cast<double>(count) / limits_.f32_per_second +
           4 * static_cast<double>(facts.attention_width) * pairs / rate;
  }

  TempFolder folder_;
  ThreadPool threads_{2};
  Compute compute_{SelectKernelSet(), threads_};
  std::unique_ptr<Model> model_;
  MachineLimits limits_{.f32_per_second = 1e9,
                        .bf16_per_second = 2e9,
                        .int8_per_second = 4e9,
                        .bytes_per_second = 8e9};
  std::vector<int64_t> work_;
  int64_t total_ = 0;
};

// Returns `a` and then `b`, `times` times.
std::vector<int64_t> Then(std::vector<int64_t> a, const std::vector<int64_t>& b, int times = 1) {
  for (int i = 0; i < times; ++i) a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST_F(SpeedTest, MeasuresEveryDepthInOrder) {
  const auto speeds =
      Measure({.prompt = 70, .generate = 3, .depths = {130, 0}, .kv = KvType::kF16});
  ASSERT_EQ(speeds.size(), 2U);
  EXPECT_EQ(speeds[0].depth, 0);
  EXPECT_EQ(speeds[0].fill.tokens, 0);
  EXPECT_EQ(speeds[0].kv_bytes, 0);
  EXPECT_EQ(speeds[1].depth, 130);
  EXPECT_EQ(speeds[1].fill.tokens, 130);
  EXPECT_EQ(speeds[1].kv_bytes, KvBytes(model_->facts().kv, KvType::kF16, 130));
  for (const SpeedAtDepth& at : speeds) {
    EXPECT_EQ(at.prompt.tokens, 70);
    EXPECT_EQ(at.generate.tokens, 3);
    const double limit = 70 / SecondsToRead(at.depth, 70, KvType::kF16);
    EXPECT_NEAR(at.prompt.limit_tokens_per_second, limit, 1e-6 * limit);
    EXPECT_NEAR(at.prompt.share() * limit, at.prompt.tokens_per_second,
                1e-6 * at.prompt.tokens_per_second);
  }
  const double limit = 130 / SecondsToRead(0, 130, KvType::kF16);
  EXPECT_NEAR(speeds[1].fill.limit_tokens_per_second, limit, 1e-6 * limit);
  // The document, and at each depth the prompt and three tokens; a token that is written counts as
  // eight.
  EXPECT_EQ(work_, (std::vector<int64_t>{130, 70, 8, 8, 8, 70, 8, 8, 8}));
  EXPECT_EQ(total_, 130 + 2 * (70 + 3 * 8));
}

TEST_F(SpeedTest, ALongTextIsReadInPasses) {
  Measure({.prompt = 0, .generate = 0, .depths = {600, 1200}});
  EXPECT_EQ(work_, (std::vector<int64_t>{512, 88, 512, 88}));
}

TEST_F(SpeedTest, RoundsAreMeasuredInTurnAndCompared) {
  const auto speeds =
      Measure({.prompt = 70, .generate = 2, .depths = {0, 130, 200}, .rounds = 3, .kv = {}});
  // Each of three rounds reads and writes at each of three depths.
  EXPECT_EQ(work_, Then({130, 70}, {70, 8, 8}, 3 * 3));
  EXPECT_EQ(total_, 200 + 3 * 3 * (70 + 2 * 8));
  ASSERT_EQ(speeds.size(), 3U);
  EXPECT_EQ(speeds[0].prompt_cost, 1);
  EXPECT_EQ(speeds[0].generate_cost, 1);
  for (const SpeedAtDepth& at : speeds) {
    EXPECT_EQ(at.prompt.tokens, 70);
    EXPECT_EQ(at.generate.tokens, 2);
    EXPECT_EQ(at.kv_bytes, KvBytes(model_->facts().kv, model_->facts().kv_type, at.depth));
  }
  // With one round the cost is the ratio of the measured speeds.
  const auto once = Measure({.prompt = 70, .generate = 2, .depths = {0, 130}, .kv = {}});
  EXPECT_NEAR(once[1].prompt_cost,
              once[0].prompt.tokens_per_second / once[1].prompt.tokens_per_second, 1e-9);
  EXPECT_NEAR(once[1].generate_cost,
              once[0].generate.tokens_per_second / once[1].generate.tokens_per_second, 1e-9);
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Measure({.rounds = 0}); }));
}

TEST_F(SpeedTest, ARoundMeasuresTheDepthsInTurn) {
  // The prompt after the greatest depth alone has a token that the vocabulary does not have.
  std::vector<TokenId> tokens(270, 5);
  tokens[230] = static_cast<TokenId>(model_->facts().vocabulary);
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] {
    Measure({.prompt = 70, .generate = 2, .depths = {200, 0, 130}, .rounds = 3, .tokens = tokens});
  }));
  EXPECT_EQ(work_, Then({130, 70}, {70, 8, 8}, 2)) << "one round at the other two depths";
}

TEST_F(SpeedTest, LimitsAreWhatTheFormulasSay) {
  const ModelFacts& facts = model_->facts();
  int64_t elements = 0;
  int64_t bytes = facts.head.bytes;
  for (const LinearWeights& weights : facts.linear) {
    EXPECT_EQ(weights.dtype, DType::kF32);
    elements += weights.elements;
    bytes += weights.bytes;
  }
  EXPECT_EQ(elements + facts.head.elements, facts.linear_parameters);
  const auto at =
      Measure({.prompt = 10, .generate = 2, .depths = {64}, .kv = KvType::kF32}).front();
  const double read = SecondsToRead(64, 10, KvType::kF32);
  EXPECT_NEAR(at.prompt.limit_tokens_per_second, 10 / read, 1e-6 * 10 / read);
  const double kv = static_cast<double>(KvBytes(facts.kv, KvType::kF32, 64)) / 64 * (64 + 1);
  const double write = (static_cast<double>(bytes) + kv) / limits_.bytes_per_second;
  EXPECT_NEAR(at.generate.limit_tokens_per_second, 1 / write, 1e-6 / write);
}

TEST_F(SpeedTest, MeasuresQuestionsTogether) {
  const auto at = Measure(
      {.prompt = 0, .generate = 4, .depths = {64, 1000}, .questions = {1, 3}, .kv = KvType::kF32});
  ASSERT_EQ(at.size(), 2U);
  for (const SpeedAtDepth& speeds : at) {
    ASSERT_EQ(speeds.together.size(), 2U);
    EXPECT_EQ(speeds.together[0].questions, 1);
    EXPECT_EQ(speeds.together[0].generate.tokens, 4);
    EXPECT_EQ(speeds.together[1].questions, 3);
    EXPECT_EQ(speeds.together[1].generate.tokens, 12);
    EXPECT_EQ(speeds.prompt.tokens, 0);
  }
  // The document is read to 64 and to 1,000 tokens. At each depth, four tokens are written alone,
  // then by one question and by three.
  EXPECT_EQ(work_, Then({64, 512, 424}, std::vector<int64_t>(4 * (1 + 1 + 1), 8), 2));
  EXPECT_EQ(total_, 1000 + 2 * 4 * (1 + 2) * 8);
  // A step has three tokens, at positions 64 to 67. Its arithmetic takes longer than reading.
  const ModelFacts& facts = model_->facts();
  int64_t elements = 0;
  for (const LinearWeights& weights : facts.linear) elements += weights.elements;
  const double seconds = (2.0 * static_cast<double>(elements) * 3 +
                          4.0 * static_cast<double>(facts.attention_width) * 3 * (64 + 2)) /
                         limits_.f32_per_second;
  const double limit = at[0].together[1].generate.limit_tokens_per_second;
  EXPECT_NEAR(limit, 3 / seconds, 1e-6 * limit);
  // Reading takes longer where memory is slow.
  limits_.bytes_per_second = 1e6;
  const double one = static_cast<double>(KvBytes(facts.kv, KvType::kF32, 64)) / 64;
  int64_t bytes = facts.head.bytes;
  for (const LinearWeights& weights : facts.linear) bytes += weights.bytes;
  const double read = (static_cast<double>(bytes) + one * (64 + 3 * 2)) / limits_.bytes_per_second;
  const auto slow =
      Measure({.prompt = 0, .generate = 4, .depths = {64}, .questions = {3}, .kv = KvType::kF32});
  EXPECT_NEAR(slow[0].together[0].generate.limit_tokens_per_second, 3 / read, 1e-6 * 3 / read);
}

TEST_F(SpeedTest, TakesTheTokensOfAText) {
  const auto speeds = Measure(
      {.prompt = 10, .generate = 2, .depths = {0, 130}, .questions = {2}, .tokens = {5, 6, 7}});
  EXPECT_EQ(speeds[1].fill.tokens, 130);
  // A token that the vocabulary does not have fails only where it is read.
  const auto beyond = static_cast<TokenId>(model_->facts().vocabulary);
  std::vector<TokenId> tokens(40, 5);  // the warm-up takes 32 of these
  tokens.push_back(beyond);
  EXPECT_EQ(Measure({.prompt = 40, .generate = 0, .tokens = tokens}).size(), 1U);
  EXPECT_TRUE(Fails(Code::kInvalidArgument,
                    [&] { Measure({.prompt = 41, .generate = 0, .tokens = tokens}); }));
}

TEST_F(SpeedTest, LeavesOutWhatIsNotWantedAndRefusesNonsense) {
  const auto speeds = Measure({.prompt = 0, .generate = 0, .depths = {5}});
  EXPECT_EQ(speeds.front().prompt.tokens, 0);
  EXPECT_EQ(speeds.front().generate.tokens, 0);
  EXPECT_EQ(speeds.front().prompt.share(), 0);
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Measure({.prompt = -1}); }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Measure({.depths = {}}); }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Measure({.depths = {3, -3}}); }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Measure({.questions = {0}}); }));
}

TEST_F(SpeedTest, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  EXPECT_TRUE(Fails(Code::kCancelled, [&] {
    MeasureSpeed(*model_, compute_, limits_, {}, {.stop = source.get_token(), .progress = {}});
  }));
}

TEST(MachineLimitsTest, EverySetHasRatesForItsInstructions) {
  ThreadPool threads(2);
  for (const KernelSet* set : {AvailableKernelSets().front(), AvailableKernelSets().back()}) {
    const MachineLimits limits = MeasureLimits({*set, threads});
    const RateProbes probes = set->rates();
    EXPECT_EQ(limits.f32_per_second > 0, probes.f32 != nullptr);
    EXPECT_EQ(limits.bf16_per_second > 0, probes.bf16 != nullptr);
    EXPECT_EQ(limits.int8_per_second > 0, probes.int8 != nullptr);
    EXPECT_GT(limits.bytes_per_second, 0);
  }
  const RateProbes generic = AvailableKernelSets().back()->rates();
  EXPECT_NE(generic.f32, nullptr);
  EXPECT_EQ(generic.bf16, nullptr);
  EXPECT_EQ(generic.int8, nullptr);
}

TEST(PeakMemoryTest, IsAtLeastWhatIsHeld) {
  constexpr size_t kHeld = size_t{256} << 20;
  ResetPeakMemory();
  {
    std::vector<char> held(kHeld);
    // Every page is touched.
    for (size_t i = 0; i < held.size(); i += 4096) held[i] = 1;
    EXPECT_GE(std::count(held.begin(), held.end(), 1), 1);
  }
  EXPECT_GE(PeakMemory(), static_cast<int64_t>(kHeld));
}

}  // namespace
}  // namespace tome
