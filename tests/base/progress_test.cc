#include "tome/base/progress.h"

#include <gtest/gtest.h>

#include "tests/expect_error.h"

namespace tome {
namespace {

TEST(WorkControlTest, PassesReportsOnAndTakesNoneWithoutAFunction) {
  std::string seen;
  WorkControl control;
  control.Report("reading", 1, 2);
  control.progress = [&](std::string_view stage, uint64_t done, uint64_t total) {
    seen = std::string(stage) + " " + std::to_string(done) + "/" + std::to_string(total);
  };
  control.Report("indexing", 3, 4);
  EXPECT_EQ(seen, "indexing 3/4");
}

TEST(WorkControlTest, StopsOnlyOnceAsked) {
  std::stop_source source;
  WorkControl control{.stop = source.get_token(), .progress = {}};
  EXPECT_NO_THROW(control.CheckStop());
  EXPECT_NO_THROW(WorkControl{}.CheckStop());
  source.request_stop();
  EXPECT_TRUE(Fails(Code::kCancelled, [&] { control.CheckStop(); }));
}

}  // namespace
}  // namespace tome
