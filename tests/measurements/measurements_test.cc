#include "tome/measurements/measurements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/expect_error.h"
#include "tests/temp_folder.h"
#include "tome/store/sqlite_schema.h"

namespace tome {
namespace {

class MeasurementsTest : public testing::Test {
 protected:
  Measurements Open() { return Measurements::Open(folder_.path(), {}); }
  Database OpenFile(std::string_view name) {
    return Database::Open(folder_ / name, std::chrono::milliseconds(0), {});
  }

  // Makes a library.db of an earlier version that holds what it kept of models.
  void WriteLibrary(int version) {
    OpenLibraryDatabase(folder_ / "library.db", {});
    Database library = OpenFile("library.db");
    library.Exec("DROP TABLE embedders; DROP TABLE windows; DROP TABLE survey_notes");
    library.Exec(
        "CREATE TABLE speeds(shape TEXT NOT NULL, processor TEXT NOT NULL, kernels TEXT NOT NULL, "
        "threads INTEGER NOT NULL, kv TEXT NOT NULL, linear_per_second REAL NOT NULL, "
        "attention_per_second REAL NOT NULL, weight_bytes_per_second REAL NOT NULL, "
        "kv_bytes_per_second REAL NOT NULL, measured_at TEXT NOT NULL, "
        "PRIMARY KEY(shape, processor, kernels, threads, kv)) WITHOUT ROWID;"
        "INSERT INTO speeds VALUES('llama', 'Some CPU', 'generic', 2, 'q8', 150000000000.125, 2.0, "
        "3.0, 4.0, 'then')");
    if (version >= 3) {
      library.Exec(
          "CREATE TABLE kv_losses(model TEXT NOT NULL, kv TEXT NOT NULL, tokens INTEGER NOT NULL, "
          "mean_kl REAL NOT NULL, p99_kl REAL NOT NULL, largest_kl REAL NOT NULL, perplexity REAL "
          "NOT NULL, exact_perplexity REAL NOT NULL, same_top REAL NOT NULL, bytes_per_token REAL "
          "NOT NULL, measured_at TEXT NOT NULL, PRIMARY KEY(model, kv)) WITHOUT ROWID");
      const std::string kind = KindOf(KvType::kQ4);
      library.Prepare("INSERT INTO kv_losses VALUES('m', ?1, 9, 0.1, 1, 2, 3, 4, 0.5, 6, 'then')")
          .Bind(1, std::string_view(kind))
          .Run();
    }
    if (version >= 4) {
      library.Exec(
          "ALTER TABLE speeds ADD COLUMN under_load INTEGER NOT NULL DEFAULT 1;"
          "UPDATE speeds SET under_load = 0");
    }
    if (version >= 5) {
      library.Exec(
          "CREATE TABLE abilities(model TEXT NOT NULL, language TEXT NOT NULL, ability TEXT NOT "
          "NULL, measured_at TEXT NOT NULL, PRIMARY KEY(model, language)) WITHOUT ROWID;"
          "INSERT INTO abilities VALUES('m', 'en', '{}', 'then')");
    }
    library.Exec("PRAGMA user_version = " + std::to_string(version));
  }
  void UpgradeLibrary() { OpenLibraryDatabase(folder_ / "library.db", {}); }
  int64_t CountLeftTables() {
    return OpenFile("library.db")
        .QueryInt(
            "SELECT count(*) FROM sqlite_schema WHERE name IN ('speeds', 'kv_losses', "
            "'abilities')");
  }

  const TempFolder folder_;
  const SpeedKey key_{.shape = "llama",
                      .processor = "Some CPU",
                      .kernels = "generic",
                      .threads = 2,
                      .kv = KvType::kQ8};
};

TEST_F(MeasurementsTest, KeepsHowFastAModelRuns) {
  ModelRates rates{.linear_per_second = 1.5e11,
                   .attention_per_second = 2.25e11,
                   .weight_bytes_per_second = 3e10,
                   .kv_bytes_per_second = 4e10,
                   .under_load = true};
  {
    Measurements measurements = Open();
    EXPECT_FALSE(measurements.RatesOf(key_));
    measurements.KeepRates(key_, {});
    measurements.KeepRates(key_, rates);
  }
  Measurements measurements = Open();
  const ModelRates kept = measurements.RatesOf(key_).value();
  EXPECT_THAT(kept.measured_at, testing::MatchesRegex("20..-..-..T..:..:..Z"));
  rates.measured_at = kept.measured_at;
  EXPECT_EQ(kept, rates);
  for (const auto& change : std::initializer_list<void (*)(SpeedKey&)>{
           [](SpeedKey& k) { k.shape = "qwen3"; }, [](SpeedKey& k) { k.processor = ""; },
           [](SpeedKey& k) { k.kernels = "avx2"; }, [](SpeedKey& k) { k.threads = 1; },
           [](SpeedKey& k) { k.kv = KvType::kF16; }}) {
    SpeedKey other = key_;
    change(other);
    EXPECT_FALSE(measurements.RatesOf(other));
    measurements.DropRates(other);
  }
  EXPECT_TRUE(measurements.RatesOf(key_));
  measurements.DropRates(key_);
  EXPECT_FALSE(measurements.RatesOf(key_));
}

TEST_F(MeasurementsTest, KeepsAnAbilityByModelAndLanguage) {
  {
    Measurements measurements = Open();
    EXPECT_EQ(measurements.AbilityOf("m", "en"), std::nullopt);
    measurements.KeepAbility("m", "en", "first");
    measurements.KeepAbility("m", "en", "second");
  }
  Measurements measurements = Open();
  EXPECT_EQ(measurements.AbilityOf("m", "en"), "second");
  EXPECT_EQ(measurements.AbilityOf("m", "zh"), std::nullopt);
  EXPECT_EQ(measurements.AbilityOf("n", "en"), std::nullopt);
}

TEST_F(MeasurementsTest, TakesOverWhatEveryEarlierLibraryKept) {
  for (const int version : {2, 3, 4, 5}) {
    SCOPED_TRACE(version);
    for (const char* name : {"library.db", "measurements.db"}) {
      std::filesystem::remove(folder_ / name);
    }
    WriteLibrary(version);
    Measurements measurements = Open();
    const ModelRates rates = measurements.RatesOf(key_).value();
    EXPECT_EQ(rates.linear_per_second, 150000000000.125);
    EXPECT_EQ(rates.kv_bytes_per_second, 4);
    EXPECT_EQ(rates.measured_at, "then");
    // How busy the machine was when an early version measured is unknown, so it counts as busy.
    EXPECT_EQ(rates.under_load, version < 4);
    EXPECT_EQ(measurements.KnowsKvLosses(KvType::kQ4), version >= 3);
    if (version >= 3) {
      EXPECT_EQ(measurements.KvLossOf("m", KvType::kQ4)->same_top, 0.5);
    }
    EXPECT_EQ(measurements.AbilityOf("m", "en").has_value(), version >= 5);
    EXPECT_GT(CountLeftTables(), 0) << "an earlier Tome could still open the library";
  }
}

TEST_F(MeasurementsTest, TakesOverOnceAndRemovesTheTablesFromAnUpgradedLibrary) {
  WriteLibrary(5);
  Open().DropRates(key_);
  EXPECT_EQ(Open().RatesOf(key_), std::nullopt) << "was taken over before";
  UpgradeLibrary();
  EXPECT_EQ(CountLeftTables(), 3);
  EXPECT_EQ(Open().RatesOf(key_), std::nullopt);
  EXPECT_EQ(CountLeftTables(), 0);
  EXPECT_TRUE(Open().AbilityOf("m", "en"));
}

TEST_F(MeasurementsTest, TakesOverFromALibraryThatWasUpgradedFirst) {
  WriteLibrary(5);
  UpgradeLibrary();
  EXPECT_TRUE(Open().RatesOf(key_));
  EXPECT_EQ(CountLeftTables(), 0);
  EXPECT_TRUE(Open().RatesOf(key_));
}

TEST_F(MeasurementsTest, ALibraryThatIsBeingWrittenKeepsNobodyWaiting) {
  WriteLibrary(5);
  Database writer = OpenLibraryDatabase(folder_ / "library.db", {});
  {
    const Transaction transaction(writer);
    EXPECT_TRUE(Open().RatesOf(key_));
    EXPECT_TRUE(Open().RatesOf(key_));
    EXPECT_EQ(CountLeftTables(), 3);
  }
  EXPECT_TRUE(Open().RatesOf(key_));
  EXPECT_EQ(CountLeftTables(), 0);
}

TEST_F(MeasurementsTest, WhatIsNoLibraryOfTomeIsLeftAlone) {
  OpenFile("library.db").Exec("CREATE TABLE speeds(x); INSERT INTO speeds VALUES(1)");
  EXPECT_EQ(Open().RatesOf(key_), std::nullopt);
  EXPECT_EQ(OpenFile("library.db").QueryInt("SELECT x FROM speeds"), 1);
  WriteFile(folder_ / "library.db", "");
  EXPECT_EQ(Open().RatesOf(key_), std::nullopt);
  EXPECT_EQ(FileBytes(folder_ / "library.db"), "");
  WriteFile(folder_ / "library.db", std::string(5000, 'g'));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Open(); }));
}

TEST_F(MeasurementsTest, ADamagedOrForeignFileIsAnError) {
  WriteFile(folder_ / "measurements.db", std::string(5000, 'g'));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Open(); }));
  EXPECT_THAT(ErrorText([&] { Open(); }), testing::HasSubstr("measure again"));
  std::filesystem::remove(folder_ / "measurements.db");
  OpenFile("measurements.db").Exec("CREATE TABLE theirs(x)");
  EXPECT_TRUE(Fails(Code::kUnsupported, [&] { Open(); }));
}

}  // namespace
}  // namespace tome
