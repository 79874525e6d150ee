#include "tome/answer/way.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

#include "tests/models/golden_model.h"

namespace tome {
namespace {

// The command line and the JSON of answers have these names.
TEST(WayTest, HasItsName) {
  EXPECT_EQ(NameOf(Way::kAuto), "auto");
  EXPECT_EQ(NameOf(Way::kQuotes), "quotes");
  EXPECT_EQ(NameOf(Way::kContext), "context");
  EXPECT_EQ(NameOf(Way::kLinear), "linear");
  EXPECT_EQ(NameOf(Way::kRetrieval), "retrieval");
  EXPECT_EQ(NameOf(Way::kSurvey), "survey");
  std::set<std::string_view> names;
  for (const Way way : kWays) names.insert(NameOf(way));
  EXPECT_EQ(names.size(), kWays.size());
}

TEST(WayTest, WholeDocumentsAreReadByContextOrLinear) {
  for (const Way way : kWays) {
    EXPECT_EQ(ReadsWholeDocuments(way), way == Way::kContext || way == Way::kLinear) << NameOf(way);
  }
}

TEST(WayTest, ModelsWithStatesReadLinearly) {
  ThreadPool threads(2);
  const TempFolder folder;
  for (const std::string variant : {"llama", "gemma2", "mamba", "mamba2", "jamba"}) {
    WriteGoldenModel(variant, folder / variant);
    const auto model = LoadModelIn(folder / variant, {SelectKernelSet(), threads});
    const bool states = variant.find("mba") != std::string::npos;  // all of the Mamba family
    EXPECT_EQ(WholeWayOf(model->facts()), states ? Way::kLinear : Way::kContext) << variant;
  }
}

}  // namespace
}  // namespace tome
