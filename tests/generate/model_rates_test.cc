#include "tome/generate/model_rates.h"

#include <gtest/gtest.h>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"

namespace tome {
namespace {

class ModelRatesTest : public testing::Test {
 protected:
  std::unique_ptr<Model> Load(const std::string& variant) {
    WriteGoldenModel(variant, folder_ / variant);
    return LoadModel(std::make_shared<const Checkpoint>(Checkpoint::Open(folder_ / variant)),
                     compute_);
  }

  TempFolder folder_;
  ThreadPool threads_{2};
  Compute compute_{SelectKernelSet(), threads_};
};

TEST_F(ModelRatesTest, EveryArchitectureIsMeasuredWithEveryTypeOfMemory) {
  for (const char* variant : {"llama", "phi3-longrope-short", "gemma2"}) {
    const auto model = Load(variant);
    for (const KvType kv : kKvTypes) {
      const ModelRates rates = MeasureRates(*model, compute_, kv, {});
      for (const double rate : {rates.linear_per_second, rates.attention_per_second,
                                rates.weight_bytes_per_second, rates.kv_bytes_per_second}) {
        EXPECT_GT(rate, 0) << variant << " " << NameOf(kv);
        EXPECT_LT(rate, 1e18) << variant << " " << NameOf(kv);
      }
    }
  }
}

// Each token takes two million operations for 1,000,000 weights, and attention on top.
ModelFacts SomeFacts() {
  ModelFacts facts;
  facts.layers = 2;
  facts.linear = {{.dtype = DType::kF16, .elements = 1'000'000, .bytes = 2'000'000}};
  facts.kv = {.layers = 2, .kv_heads = 2, .head_size = 32};
  facts.attention_width = 2 * 4 * 32;
  return facts;
}
const ModelRates kSomeRates{.linear_per_second = 1e9,
                            .attention_per_second = 2e9,
                            .weight_bytes_per_second = 1e9,
                            .kv_bytes_per_second = 1e9};

TEST(DisprovesTest, AReadingThatTookFarMoreOrLessShowsThatRatesAreWrong) {
  const ModelFacts facts = SomeFacts();
  const double foretold =
      SecondsToRead(facts, kSomeRates, 3000) - SecondsToRead(facts, kSomeRates, 1000);
  const auto disproves = [&](double share, double processor, int64_t begin = 1000) {
    const double wall = share * foretold;
    return Disproves(
        {.begin = begin, .end = 3000, .taken = {.wall = wall, .processor = processor * wall}},
        facts, kSomeRates);
  };
  EXPECT_FALSE(disproves(1, 1));
  EXPECT_FALSE(disproves(1.49, 1));
  EXPECT_TRUE(disproves(1.51, 1));
  EXPECT_FALSE(disproves(1 / 1.49, 1));
  EXPECT_TRUE(disproves(1 / 1.51, 1));
  // A reading that had too little of a processor disproves nothing.
  EXPECT_FALSE(disproves(10, 0.79));
  EXPECT_TRUE(disproves(10, 0.81));
  // A reading of few tokens disproves nothing.
  EXPECT_FALSE(disproves(10, 1, 3000 - 511));
  EXPECT_TRUE(disproves(10, 1, 3000 - 512));
  // A short reading disproves nothing.
  EXPECT_FALSE(disproves(0.99 / foretold, 1));
  EXPECT_TRUE(disproves(1.01 / foretold, 1));
}

TEST(HadProcessorTest, WorkMayDoWithoutAFifthOfTheTime) {
  EXPECT_TRUE(HadProcessor({.wall = 10, .processor = 10}));
  EXPECT_TRUE(HadProcessor({.wall = 10, .processor = 8}));
  EXPECT_FALSE(HadProcessor({.wall = 10, .processor = 7.9}));
  EXPECT_TRUE(HadProcessor({}));
}

TEST_F(ModelRatesTest, StopsWhenAsked) {
  const auto model = Load("llama");
  std::stop_source source;
  source.request_stop();
  EXPECT_TRUE(Fails(Code::kCancelled, [&] {
    MeasureRates(*model, compute_, KvType::kF16, {.stop = source.get_token(), .progress = {}});
  }));
}

TEST_F(ModelRatesTest, ModelsOfOneShapeShareTheirSpeed) {
  const auto shape = [&](const ModelFacts& facts) {
    return SpeedKeyOf(facts, compute_, KvType::kQ8).shape;
  };
  const ModelFacts llama = Load("llama")->facts();
  EXPECT_EQ(shape(llama), shape(Load("llama-linear")->facts()));  // only its RoPE differs
  ModelFacts other = llama;
  other.linear.front().dtype = DType::kQ8_0;
  EXPECT_NE(shape(llama), shape(other));
  other = llama;
  ++other.kv.kv_heads;
  EXPECT_NE(shape(llama), shape(other));

  const SpeedKey key = SpeedKeyOf(llama, compute_, KvType::kQ8);
  EXPECT_EQ(key.kernels, KernelsKey(compute_.kernels));
  EXPECT_EQ(key.threads, 2);
  EXPECT_EQ(key.kv, KvType::kQ8);
}

}  // namespace
}  // namespace tome
