#include "tome/eval/kv_loss.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <sstream>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"

namespace tome {
namespace {

std::vector<double> Softmax(const std::vector<float>& logits) {
  std::vector<double> p;
  double sum = 0;
  for (const float x : logits) sum += p.emplace_back(std::exp(double{x}));
  for (double& x : p) x /= sum;
  return p;
}

TEST(KlDivergenceTest, IsThatOfKnownDistributions) {
  // The divergence of (1/2, 1/2) from (1/4, 3/4) is ½ ln 2 + ½ ln ⅔.
  const std::vector<float> even{0, 0};
  const std::vector<float> skew{0, static_cast<float>(std::log(3.0))};
  EXPECT_NEAR(KlDivergence(even, skew), 0.5 * std::log(2.0) + 0.5 * std::log(2.0 / 3), 1e-7);
  EXPECT_NEAR(KlDivergence(skew, even), 0.25 * std::log(0.5) + 0.75 * std::log(1.5), 1e-7);
  EXPECT_EQ(KlDivergence(even, even), 0);
}

TEST(KlDivergenceTest, AgreesWithTheSumOverProbabilities) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (const size_t size : {1, 2, 100, 5000}) {
    std::vector<float> a(size);
    std::vector<float> b(size);
    for (size_t i = 0; i < size; ++i) {
      a[i] = 3 * normal(random);
      b[i] = a[i] + 0.1F * normal(random);
    }
    const auto p = Softmax(a);
    const auto q = Softmax(b);
    double expected = 0;
    for (size_t i = 0; i < size; ++i) expected += p[i] * std::log(p[i] / q[i]);
    EXPECT_NEAR(KlDivergence(a, b), expected, 1e-12 * static_cast<double>(size)) << size;
    // A shift of all logits changes nothing, however large they are.
    for (float& x : a) x += 1024;
    EXPECT_NEAR(KlDivergence(a, b), expected, 1e-3) << size;
  }
}

TEST(KlDivergenceTest, WhatIsImpossibleCostsNothing) {
  const float none = -std::numeric_limits<float>::infinity();
  EXPECT_NEAR(KlDivergence(std::vector<float>{0, none}, std::vector<float>{0, 0}), std::log(2.0),
              1e-12);
  EXPECT_EQ(KlDivergence(std::vector<float>{0, none}, std::vector<float>{0, none}), 0);
}

class KvLossTest : public testing::Test {
 protected:
  std::unique_ptr<Model> Load(const std::string& variant) {
    WriteGoldenModel(variant, folder_ / variant);
    return LoadFrom(folder_ / variant);
  }
  std::unique_ptr<Model> LoadFrom(const std::filesystem::path& path) {
    return LoadModel(std::make_shared<const Checkpoint>(Checkpoint::Open(path)), compute_);
  }

  std::vector<TokenId> RandomTokens(const Model& model, size_t count) {
    std::vector<TokenId> tokens(count);
    for (TokenId& token : tokens) {
      token = static_cast<TokenId>(random_() % static_cast<uint64_t>(model.facts().vocabulary));
    }
    return tokens;
  }

  TempFolder folder_;
  std::mt19937 random_{1};
  ThreadPool threads_{2};
  Compute compute_{SelectKernelSet(), threads_};
};

TEST_F(KvLossTest, IsWhatWholeLogitsOfEachMemoryGive) {
  const auto model = Load("llama");
  // The text takes several passes, the last of them short.
  const std::vector<TokenId> tokens = RandomTokens(*model, 2100);
  const std::vector<KvType> types{KvType::kF32, KvType::kQ4};
  const KvLosses losses = MeasureKvLoss(*model, compute_, tokens, types, {});
  ASSERT_EQ(losses.losses.size(), 2U);

  const auto width = static_cast<size_t>(model->facts().vocabulary);
  const auto read = [&](KvType type) {
    Memory memory = model->NewMemory({.kv = type, .max_tokens = 2100});
    const BatchItem item{.memory = &memory, .tokens = tokens, .logits = LogitsOf::kAll};
    const Tensor logits = model->Forward({&item, 1}, compute_);
    std::vector<std::vector<float>> rows;
    for (size_t t = 0; t < tokens.size(); ++t) {
      const auto row = logits.floats().subspan(t * width, width);
      rows.emplace_back(row.begin(), row.end());
    }
    return rows;
  };
  const auto exact = read(model->facts().kv_type);
  for (size_t i = 0; i < types.size(); ++i) {
    const auto other = read(types[i]);
    std::vector<double> kl;
    double log_likelihood = 0;
    double exact_log_likelihood = 0;
    double same = 0;
    for (auto t = static_cast<size_t>(kKvPartTokens); t < tokens.size(); ++t) {
      const auto p = Softmax(exact[t]);
      const auto q = Softmax(other[t]);
      double sum = 0;
      for (size_t v = 0; v < width; ++v) sum += p[v] * std::log(p[v] / q[v]);
      kl.push_back(sum);
      same += std::max_element(p.begin(), p.end()) - p.begin() ==
                      std::max_element(q.begin(), q.end()) - q.begin()
                  ? 1
                  : 0;
      if (t + 1 == tokens.size()) continue;
      log_likelihood += std::log(q[static_cast<size_t>(tokens[t + 1])]);
      exact_log_likelihood += std::log(p[static_cast<size_t>(tokens[t + 1])]);
    }
    double mean = 0;
    for (const double x : kl) mean += x / static_cast<double>(kl.size());
    std::sort(kl.begin(), kl.end());
    const KvLoss& loss = losses.losses[i];
    EXPECT_EQ(loss.kv, types[i]);
    EXPECT_EQ(loss.tokens, 1076);
    EXPECT_NEAR(loss.mean_kl, mean, 1e-9);
    EXPECT_NEAR(loss.p99_kl, kl[1065], 1e-9);  // 1066 of 1076 tokens are 99 %
    EXPECT_NEAR(loss.largest_kl, kl.back(), 1e-9);
    EXPECT_NEAR(loss.perplexity, std::exp(-log_likelihood / 1075), 1e-6 * loss.perplexity);
    EXPECT_NEAR(loss.exact_perplexity, std::exp(-exact_log_likelihood / 1075),
                1e-6 * loss.perplexity);
    EXPECT_NEAR(loss.same_top, same / 1076, 1e-9);
    EXPECT_EQ(loss.bytes_per_token,
              static_cast<double>(KvBytes(model->facts().kv, types[i], 64)) / 64);
  }
  EXPECT_EQ(losses.exact.kv, model->facts().kv_type);
  EXPECT_EQ(losses.exact.mean_kl, 0);
  EXPECT_EQ(losses.exact.same_top, 1);
  EXPECT_GT(losses.losses[1].mean_kl, losses.losses[0].mean_kl);
}

TEST_F(KvLossTest, EightBitsLoseLittleWithEveryGoldenModel) {
  for (const std::string& variant : GoldenVariants()) {
    const auto model = Load(variant);
    const std::vector<KvType> types{KvType::kQ8};
    const std::vector<TokenId> tokens = RandomTokens(*model, kLeastLossTokens);
    const auto measure = [&] { return MeasureKvLoss(*model, compute_, tokens, types, {}); };
    if (!model->facts().has_attention()) {
      EXPECT_TRUE(Fails(Code::kInvalidArgument, measure)) << variant;
      continue;
    }
    EXPECT_LT(measure().losses.front().mean_kl, 0.01) << variant;
  }
}

TEST_F(KvLossTest, EightBitsLoseLittleWithTheModelsOfThisMachine) {
  const char* paths = std::getenv("TOME_TEST_MODELS");
  if (paths == nullptr || *paths == '\0') {
    GTEST_SKIP() << "TOME_TEST_MODELS names no models: paths, separated by colons";
  }
  std::stringstream list(paths);
  for (std::string path; std::getline(list, path, ':');) {
    const auto model = LoadFrom(path);
    const std::vector<KvType> types{KvType::kQ8};
    const KvLoss loss =
        MeasureKvLoss(*model, compute_, RandomTokens(*model, 4096), types, {}).losses.front();
    EXPECT_LT(loss.mean_kl, 0.01) << path;
  }
}

TEST_F(KvLossTest, TooFewTokensAndCancellingAreErrors) {
  const auto model = Load("llama");
  const std::vector<KvType> types{KvType::kQ8};
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] {
    MeasureKvLoss(*model, compute_, RandomTokens(*model, kLeastLossTokens - 1), types, {});
  }));
  std::stop_source source;
  source.request_stop();
  EXPECT_TRUE(Fails(Code::kCancelled, [&] {
    MeasureKvLoss(*model, compute_, RandomTokens(*model, kLeastLossTokens), types,
                  {.stop = source.get_token(), .progress = {}});
  }));
}

}  // namespace
}  // namespace tome
