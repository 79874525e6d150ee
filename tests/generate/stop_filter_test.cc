#include "tome/generate/stop_filter.h"

#include <gtest/gtest.h>

#include <random>

namespace tome {
namespace {

// Returns what the filter shows of a text that comes in the given pieces.
std::string Shown(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
  StopFilter filter(stops);
  std::string shown;
  for (const std::string& piece : pieces) shown += filter.Push(piece);
  return shown + filter.Flush();
}

TEST(StopFilter, EndsBeforeTheFirstStopString) {
  EXPECT_EQ(Shown({"END"}, {"one EN", "D two"}), "one ");
  EXPECT_EQ(Shown({"b", "a"}, {"xxaxb"}), "xx");
  EXPECT_EQ(Shown({"END", ""}, {"one EN"}), "one EN");
  EXPECT_EQ(Shown({"完。"}, {"说", "完", "。了"}), "说");
}

TEST(StopFilter, ShowsNothingThatMayBecomeAStopString) {
  StopFilter filter({"END"});
  EXPECT_EQ(filter.Push("xE"), "x");
  EXPECT_EQ(filter.Push("E"), "E");
  EXPECT_EQ(filter.Push("NX"), "ENX");
  EXPECT_FALSE(filter.stopped());
  EXPECT_EQ(filter.Push("END more"), "");
  EXPECT_TRUE(filter.stopped());
  EXPECT_EQ(filter.Push("more"), "");
}

TEST(StopFilter, AnyCutsGiveTheSame) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::vector<std::string> stops{"aab", "bba", "abab"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (size_t i = random() % 30; i > 0; --i) text += random() % 2 == 0 ? 'a' : 'b';
    size_t first = std::string::npos;
    for (const std::string& stop : stops) first = std::min(first, text.find(stop));
    std::vector<std::string> pieces;
    for (size_t at = 0; at < text.size();) {
      const size_t size = 1 + random() % 4;
      pieces.push_back(text.substr(at, size));
      at += size;
    }
    EXPECT_EQ(Shown(stops, pieces), text.substr(0, first)) << text;
  }
}

}  // namespace
}  // namespace tome
