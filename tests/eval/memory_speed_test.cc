#include "tome/eval/memory_speed.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

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

  TempFolder folder_;
  std::unique_ptr<LanguageModel> model_;
};

TEST_F(MemorySpeedTest, MeasuresKeepingAndComingBackAndLeavesNothing) {
  for (const KvType kv : {KvType::kF32, KvType::kQ8}) {
    const MemorySpeed speed = Measure({.tokens = 1100, .read = 1024, .kv = kv, .rounds = 2});
    EXPECT_EQ(speed.kv, kv);
    ASSERT_TRUE(speed.keeping);
    EXPECT_EQ(speed.keeping->tokens, 1024);
    EXPECT_GT(speed.keeping->seconds, 0);
    EXPECT_GT(speed.keeping->keeping_seconds, 0);
    EXPECT_GE(speed.reopening.bytes, KvBytes(model_->model().facts().kv, kv, 1100));
    EXPECT_GT(speed.reopening.step_seconds, 0);
    EXPECT_GT(speed.reopening.restore_seconds, 0);
    EXPECT_GT(speed.reopening.reopen_seconds, speed.reopening.restore_seconds);
    EXPECT_GT(speed.reopening.ratio, 0);
    if (speed.cold) {
      EXPECT_GT(speed.cold->ratio, 0);
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder_ / "home"));
  }
}

TEST_F(MemorySpeedTest, LeavesReadingOut) {
  EXPECT_FALSE(Measure({.tokens = 70, .read = 0, .rounds = 1}).keeping);
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
