#include "tome/eval/memory_speed.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "tests/expect_error.h"
#include "tests/models/golden_model.h"

namespace tome {
namespace {

class MemorySpeedTest : public testing::Test {
 protected:
  MemorySpeedTest() {
    WriteGoldenModel("llama", folder_ / "model");
    WriteLetterTokenizer(folder_ / "model");
    model_ = LanguageModel::Open(folder_ / "model", 2);
  }

  MemorySpeed Measure(MemorySpeedOptions options, const WorkControl& control = {}) {
    options.folder = folder_ / "home";
    return MeasureMemorySpeed(*model_, options, control);
  }

  // Returns the folder that a measurement works in.
  std::filesystem::path WorkFolder() const {
    return std::filesystem::directory_iterator(folder_ / "home")->path();
  }
  std::vector<int64_t> FileSizes(const std::string& name) const {
    std::vector<int64_t> sizes;
    if (!std::filesystem::exists(WorkFolder() / name)) return sizes;
    for (const auto& entry : std::filesystem::directory_iterator(WorkFolder() / name)) {
      sizes.push_back(static_cast<int64_t>(entry.file_size()));
    }
    return sizes;
  }

  TempFolder folder_;
  std::unique_ptr<LanguageModel> model_;
};

TEST_F(MemorySpeedTest, MeasuresKeepingAndComingBackAndLeavesNothing) {
  for (const KvType kv : {KvType::kF32, KvType::kQ8}) {
    std::vector<int64_t> sizes;  // of the kept files
    const WorkControl control{.stop = {}, .progress = [&](std::string_view, uint64_t, uint64_t) {
                                if (sizes.empty()) sizes = FileSizes("kept");
                              }};
    const MemorySpeed speed =
        Measure({.tokens = 1100, .read = 1024, .kv = kv, .rounds = 2}, control);
    EXPECT_EQ(speed.kv, kv);
    ASSERT_TRUE(speed.keeping);
    EXPECT_EQ(speed.keeping->tokens, 1024);
    EXPECT_EQ(sizes.size(), 2U) << "a whole snapshot and the tokens after it";
    EXPECT_EQ(speed.reopening.bytes, std::accumulate(sizes.begin(), sizes.end(), int64_t{0}));
    EXPECT_GE(speed.reopening.bytes, KvBytes(model_->model().facts().kv, kv, 1100));
    EXPECT_GE(speed.reopening.reopen_seconds, speed.reopening.restore_seconds);
    EXPECT_TRUE(std::filesystem::is_empty(folder_ / "home"));
  }
}

TEST_F(MemorySpeedTest, OneRoundsFiguresAreThoseThatItsRatiosAreOf) {
  const MemorySpeed speed = Measure({.tokens = 1100, .read = 1024, .rounds = 1});
  ASSERT_TRUE(speed.keeping);
  EXPECT_NEAR(speed.keeping->share, speed.keeping->keeping_seconds / speed.keeping->seconds - 1,
              1e-9);
  const ReopeningSpeed& reopening = speed.reopening;
  EXPECT_NEAR(reopening.ratio, reopening.reopen_seconds / reopening.step_seconds,
              1e-9 * reopening.ratio);
  if (!speed.cold) GTEST_SKIP() << "the page cache could not be emptied";
  EXPECT_NEAR(speed.cold->ratio,
              speed.cold->restore_bytes_per_second / speed.cold->disk_bytes_per_second,
              1e-9 * speed.cold->ratio);
}

// A run that keeps makes a folder and removes it, which changes the time of the folder around it.
TEST_F(MemorySpeedTest, RunsWithAndWithoutAStoreGoFirstInTurn) {
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24);
  std::vector<bool> kept;  // for each run
  std::vector<uint64_t> done;
  uint64_t all = 0;
  const WorkControl control{.stop = {},
                            .progress = [&](std::string_view, uint64_t now, uint64_t total) {
                              done.push_back(now);
                              all = total;
                              const auto folder = WorkFolder();
                              kept.push_back(std::filesystem::last_write_time(folder) != old);
                              std::filesystem::last_write_time(folder, old);
                            }};
  const MemorySpeed speed = Measure({.tokens = 70, .read = 1024, .rounds = 3}, control);
  // The weights are read once. Then three pairs are read, three times the memory is reopened and,
  // where the page cache can be emptied, three times it is restored without it.
  std::vector<uint64_t> expected{2, 4, 6, 8, 10, 12, 14, 15, 16, 17};
  if (speed.cold) expected.insert(expected.end(), {18, 19, 20});
  EXPECT_EQ(done, expected);
  EXPECT_EQ(all, 20U);
  EXPECT_EQ(std::vector<bool>(kept.begin() + 1, kept.begin() + 7),
            (std::vector<bool>{true, false, false, true, true, false}));
}

TEST_F(MemorySpeedTest, LeavesReadingOut) {
  EXPECT_FALSE(Measure({.tokens = 70, .read = 0, .rounds = 1}).keeping);
}

TEST_F(MemorySpeedTest, WhatComesBackMustBeWhatWasKept) {
  int reports = 0;
  const WorkControl control{
      .stop = {}, .progress = [&](std::string_view, uint64_t, uint64_t) {
        if (++reports > 1) return;
        for (const auto& entry : std::filesystem::directory_iterator(WorkFolder() / "kept")) {
          std::string bytes = FileBytes(entry.path());
          bytes.back() = static_cast<char>(bytes.back() ^ 1);
          WriteFile(entry.path(), bytes);
        }
      }};
  EXPECT_TRUE(
      Fails(Code::kCorrupt, [&] { Measure({.tokens = 1100, .read = 0, .rounds = 2}, control); }));
  EXPECT_EQ(reports, 1) << "the round after the damage fails";
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "home"));
}

TEST_F(MemorySpeedTest, StopsWhenAskedAndLeavesNothing) {
  std::stop_source source;
  source.request_stop();
  EXPECT_TRUE(Fails(Code::kCancelled, [&] {
    Measure({.tokens = 70, .read = 0}, {.stop = source.get_token(), .progress = {}});
  }));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "home"));
}

TEST_F(MemorySpeedTest, RefusesNonsense) {
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Measure({.tokens = 0}); }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Measure({.read = 1000}); }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Measure({.rounds = 0}); }));
}

}  // namespace
}  // namespace tome
