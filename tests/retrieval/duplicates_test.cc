#include "tome/retrieval/duplicates.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tome {
namespace {

class DuplicatesTest : public testing::Test {
 protected:
  double Compare(std::string_view a, std::string_view b) {
    return Resemblance(Shingles(a, analyzer_), Shingles(b, analyzer_));
  }

  Analyzer analyzer_;
};

TEST_F(DuplicatesTest, ShinglesAreTheDistinctRunsOfThreeTermsSorted) {
  const auto shingles = Shingles("one two three one two three one two", analyzer_);
  EXPECT_EQ(shingles.size(), 3U) << "123, 231, 312";
  EXPECT_TRUE(std::is_sorted(shingles.begin(), shingles.end()));
  EXPECT_EQ(Shingles("one two", analyzer_).size(), 2U) << "too short: its words";
  EXPECT_TRUE(Shingles(" ,. ", analyzer_).empty());
  EXPECT_EQ(Shingles("软件管理", analyzer_).size(), 2U);
}

TEST_F(DuplicatesTest, ResemblanceIsWhatAHandComputes) {
  // The sets {abc, bcd, cde} and {bcd, cde, def} share two of four.
  EXPECT_DOUBLE_EQ(Compare("alpha beta gamma delta epsilon", "beta gamma delta epsilon zeta"), 0.5);
  // The sets {abc, bcd} and {abc} share one of two.
  EXPECT_DOUBLE_EQ(Compare("alpha beta gamma delta", "alpha beta gamma"), 0.5);
  EXPECT_DOUBLE_EQ(Compare("alpha beta gamma", "gamma beta alpha"), 0);
  // The sets {软件管, 件管理} and {件管理, 管理器} share one of three.
  EXPECT_DOUBLE_EQ(Compare("软件管理", "件管理器"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(Compare("alpha", "alpha beta"), 0.5);
}

TEST_F(DuplicatesTest, CasePunctuationAndWhiteSpaceMakeNoDifference) {
  EXPECT_EQ(Compare("The cat, the DOG; and a bird.", "the cat\nthe dog — and a bird"), 1);
  EXPECT_EQ(Compare("软件，管理。", "软件 管理"), 1);
}

TEST_F(DuplicatesTest, EmptyTextsAreAlikeAndUnlikeAllOthers) {
  EXPECT_EQ(Compare("", "…"), 1);
  EXPECT_EQ(Compare("", "word"), 0);
}

TEST_F(DuplicatesTest, ResemblanceIsSymmetric) {
  const char* const texts[] = {"", "a", "alpha beta gamma", "alpha beta gamma delta", "软件管理"};
  for (const char* a : texts) {
    EXPECT_EQ(Compare(a, a), 1);
    for (const char* b : texts) EXPECT_EQ(Compare(a, b), Compare(b, a));
  }
}

}  // namespace
}  // namespace tome
