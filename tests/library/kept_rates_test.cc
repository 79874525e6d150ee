#include "tome/library/kept_rates.h"

#include <gtest/gtest.h>

#include "tests/models/golden_model.h"
#include "tests/temp_folder.h"
#include "tome/generate/language_model.h"
#include "tome/library/library.h"

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
    return RatesFor(library_, *model_, KvType::kF16, measuring, {}).linear_per_second;
  }

  TempFolder folder_;
  Library library_ = Library::Open(folder_ / "home", {});
  std::unique_ptr<LanguageModel> model_;
  SpeedKey key_;
};

TEST_F(KeptRatesTest, AreMeasuredOnceAndSayWhen) {
  const ModelRates measured =
      RatesFor(library_, *model_, KvType::kF16, Measuring::kWhereNotKept, {});
  EXPECT_GT(measured.linear_per_second, 0);
  EXPECT_FALSE(measured.measured_at.empty());
  EXPECT_EQ(library_.RatesOf(key_), measured);
  library_.KeepRates(key_, Odd());
  EXPECT_EQ(LinearOf(Measuring::kWhereNotKept), 3);
  EXPECT_NE(LinearOf(Measuring::kAnew), 3);
}

TEST_F(KeptRatesTest, AreMeasuredAgainWhereTheyWereMeasuredUnderLoad) {
  ModelRates rates = Odd();
  rates.under_load = true;
  library_.KeepRates(key_, rates);
  EXPECT_NE(LinearOf(Measuring::kWhereNotKept), 3);
}

TEST_F(KeptRatesTest, AreDroppedWhereAReadingDisprovesThem) {
  const ReadingTime swift{.begin = 0, .end = 1000, .taken = {.wall = 1, .processor = 1}};
  DropDisprovedRates(library_, *model_, KvType::kF16, swift);  // no rates are kept yet
  library_.KeepRates(key_, Odd());
  const double foretold = SecondsToRead(model_->model().facts(), Odd(), 1000);
  DropDisprovedRates(library_, *model_, KvType::kF16,
                     {.begin = 0, .end = 1000, .taken = {foretold, foretold}});
  EXPECT_TRUE(library_.RatesOf(key_));
  DropDisprovedRates(library_, *model_, KvType::kQ8, swift);  // a memory of another type
  EXPECT_TRUE(library_.RatesOf(key_));
  DropDisprovedRates(library_, *model_, KvType::kF16, swift);
  EXPECT_FALSE(library_.RatesOf(key_));
}

}  // namespace
}  // namespace tome
