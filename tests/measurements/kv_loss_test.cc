#include "tome/measurements/kv_loss.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"
#include "tome/generate/language_model.h"
#include "tome/measurements/measurements.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

KvLoss LossWith(KvType kv, double mean_kl) {
  return {.kv = kv,
          .tokens = 4096,
          .mean_kl = mean_kl,
          .p99_kl = 2 * mean_kl,
          .largest_kl = 9 * mean_kl,
          .perplexity = 14.5,
          .exact_perplexity = 13.25,
          .same_top = 0.9375,
          .bytes_per_token = 96};
}

class KvLossTest : public testing::Test {
 protected:
  KvLossTest() {
    WriteGoldenModel("llama", folder_ / "model");
    WriteLetterTokenizer(folder_ / "model");
    model_ = LanguageModel::Open(folder_ / "model", 1);
  }

  Measurements Open() { return Measurements::Open(folder_ / "home", {}); }

  TempFolder folder_;
  std::unique_ptr<LanguageModel> model_;
};

TEST_F(KvLossTest, IsKeptByModelAndType) {
  Measurements measurements = Open();
  EXPECT_FALSE(measurements.KnowsKvLosses(KvType::kQ4));
  EXPECT_EQ(measurements.KvLossOf("a", KvType::kQ4), std::nullopt);
  measurements.KeepKvLoss("a", LossWith(KvType::kQ4, 0.25));
  measurements.KeepKvLoss("a", LossWith(KvType::kQ8, 0.001));
  measurements.KeepKvLoss("a", LossWith(KvType::kQ4, 0.5));
  Measurements again = Open();
  EXPECT_TRUE(again.KnowsKvLosses(KvType::kQ4));
  EXPECT_EQ(again.KvLossOf("a", KvType::kQ4), LossWith(KvType::kQ4, 0.5));
  EXPECT_EQ(again.KvLossOf("a", KvType::kQ8), LossWith(KvType::kQ8, 0.001));
  EXPECT_EQ(again.KvLossOf("b", KvType::kQ4), std::nullopt);
}

TEST_F(KvLossTest, FourBitsAreRefusedUntilTheirLossIsKnown) {
  Measurements measurements = Open();
  const auto refused = [&] { KnownKvLoss(measurements, *model_, KvType::kQ4); };
  EXPECT_TRUE(Fails(Code::kUnavailable, refused));
  EXPECT_THAT(ErrorText(refused), HasSubstr("has not been measured"));
  EXPECT_THAT(ErrorOf(refused).value().advice(),
              ElementsAre(Advice::Measure(Setting::kKv, "q4", (folder_ / "model").string())));
  // The loss of another model says nothing about this one, nor does that of another type.
  measurements.KeepKvLoss("another", LossWith(KvType::kQ4, 0.01));
  measurements.KeepKvLoss(model_->FilesKey().ToString(), LossWith(KvType::kQ8, 0.01));
  EXPECT_TRUE(Fails(Code::kUnavailable, refused));
  measurements.KeepKvLoss(model_->FilesKey().ToString(), LossWith(KvType::kQ4, 0.01));
  EXPECT_EQ(KnownKvLoss(measurements, *model_, KvType::kQ4), LossWith(KvType::kQ4, 0.01));
}

TEST_F(KvLossTest, EightBitsGoUnmeasuredAndOthersLoseNothing) {
  Measurements measurements = Open();
  EXPECT_EQ(KnownKvLoss(measurements, *model_, KvType::kQ8), std::nullopt);
  measurements.KeepKvLoss(model_->FilesKey().ToString(), LossWith(KvType::kQ8, 0.002));
  EXPECT_EQ(KnownKvLoss(measurements, *model_, KvType::kQ8), LossWith(KvType::kQ8, 0.002));
  measurements.KeepKvLoss(model_->FilesKey().ToString(), LossWith(KvType::kF16, 0.002));
  for (const KvType kv : {KvType::kF16, KvType::kBF16, KvType::kF32}) {
    EXPECT_EQ(KnownKvLoss(measurements, *model_, kv), std::nullopt);
  }
}

TEST_F(KvLossTest, TheNoteNamesTheFiguresAndCallsABadLossBad) {
  const Note note = NoteOf(LossWith(KvType::kQ4, 0.0123));
  const std::string& good = note.text;
  EXPECT_THAT(note.advice, ElementsAre());
  EXPECT_THAT(good, HasSubstr("q4"));
  EXPECT_THAT(good, HasSubstr("0.0123"));
  EXPECT_THAT(good, HasSubstr("14.5 instead of 13.25"));
  EXPECT_THAT(good, HasSubstr("4096 tokens"));
  EXPECT_THAT(good, Not(HasSubstr("bad")));
  const Note bad = NoteOf(LossWith(KvType::kQ4, 0.3));
  EXPECT_THAT(bad.text, HasSubstr("this is a bad loss"));
  EXPECT_THAT(bad.advice, ElementsAre(Advice::Use(Setting::kKv, "q8")));
}

TEST_F(KvLossTest, ATypeThatTheLengthChoseIsNamedWithTheExactOne) {
  const Advice exact = Advice::Use(Setting::kKv, "f16");
  EXPECT_EQ(NoteOfType(std::nullopt, KvType::kF16, std::nullopt), std::nullopt);
  EXPECT_EQ(NoteOfType(KvType::kQ8, KvType::kQ8, std::nullopt), std::nullopt);
  EXPECT_THAT(NoteOfType(std::nullopt, KvType::kQ8, std::nullopt).value().advice,
              ElementsAre(exact, Advice::Measure(Setting::kKv, "q8", "")));
  const Note known = NoteOfType(std::nullopt, KvType::kQ8, LossWith(KvType::kQ8, 0.01)).value();
  EXPECT_THAT(known.text, HasSubstr("mean KL divergence 0.0100"));
  EXPECT_THAT(known.advice, ElementsAre(exact));
}

}  // namespace
}  // namespace tome
