#include "tome/measurements/kept_rates.h"

#include <gtest/gtest.h>

#include "tests/models/golden_model.h"
#include "tests/temp_folder.h"
#include "tome/generate/language_model.h"
#include "tome/measurements/measurements.h"

namespace tome {
namespace {

class KeptRatesTest : public testing::Test {
 protected:
  KeptRatesTest() {
    WriteGoldenModel("llama", folder_ / "model");
    WriteLetterTokenizer(folder_ / "model");
    model_ = LanguageModel::Open(folder_ / "model", 1);
    key_ = SpeedKeyOf(model_->model().facts(), model_->compute(), KvType::kF16);
  }

  // Returns rates that no measurement gives.
  ModelRates Odd() const {
    return {.linear_per_second = 3,
            .attention_per_second = 5,
            .weight_bytes_per_second = 7,
            .kv_bytes_per_second = 11};
  }
  double LinearOf(Measuring measuring) {
    return RatesFor(measurements_, *model_, KvType::kF16, measuring, {}).linear_per_second;
  }

  TempFolder folder_;
  Measurements measurements_ = Measurements::Open(folder_ / "home", {});
  std::unique_ptr<LanguageModel> model_;
  SpeedKey key_;
};

TEST_F(KeptRatesTest, AreMeasuredOnceAndSayWhen) {
  const ModelRates measured =
      RatesFor(measurements_, *model_, KvType::kF16, Measuring::kWhereNotKept, {});
  EXPECT_GT(measured.linear_per_second, 0);
  EXPECT_FALSE(measured.measured_at.empty());
  EXPECT_EQ(measurements_.RatesOf(key_), measured);
  measurements_.KeepRates(key_, Odd());
  EXPECT_EQ(LinearOf(Measuring::kWhereNotKept), 3);
  EXPECT_NE(LinearOf(Measuring::kAnew), 3);
}

TEST_F(KeptRatesTest, AreMeasuredAgainWhereTheyWereMeasuredUnderLoad) {
  ModelRates rates = Odd();
  rates.under_load = true;
  measurements_.KeepRates(key_, rates);
  EXPECT_NE(LinearOf(Measuring::kWhereNotKept), 3);
}

TEST_F(KeptRatesTest, AreDroppedWhereAReadingDisprovesThem) {
  const ReadingTime swift{.begin = 0, .end = 1000, .taken = {.wall = 1, .processor = 1}};
  DropDisprovedRates(measurements_, *model_, KvType::kF16, swift);  // no rates are kept yet
  measurements_.KeepRates(key_, Odd());
  const double foretold = SecondsToRead(model_->model().facts(), Odd(), 1000);
  DropDisprovedRates(measurements_, *model_, KvType::kF16,
                     {.begin = 0, .end = 1000, .taken = {foretold, foretold}});
  EXPECT_TRUE(measurements_.RatesOf(key_));
  DropDisprovedRates(measurements_, *model_, KvType::kQ8, swift);  // a memory of another type
  EXPECT_TRUE(measurements_.RatesOf(key_));
  DropDisprovedRates(measurements_, *model_, KvType::kF16, swift);
  EXPECT_FALSE(measurements_.RatesOf(key_));
}

}  // namespace
}  // namespace tome
