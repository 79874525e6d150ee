#include "tome/retrieval/fusion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tome {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::IsEmpty;

FoundPlace Passage(TextSpan span, size_t rank, double score, DocumentId document = 1) {
  return {.document = document,
          .span = span,
          .focus = span,
          .score = score,
          .ranks = {.lexical = ListRank{.rank = rank, .score = score}}};
}

FoundPlace Window(TextSpan span, size_t rank, double cosine, DocumentId document = 1) {
  return {.document = document,
          .span = span,
          .focus = span,
          .score = cosine,
          .ranks = {.dense = ListRank{.rank = rank, .score = cosine}}};
}

std::vector<TextSpan> Spans(const std::vector<FoundPlace>& places) {
  std::vector<TextSpan> spans;
  for (const FoundPlace& place : places) spans.push_back(place.span);
  return spans;
}

TEST(Fusion, AddsTheNormalizedScoresOfAPlaceThatBothFound) {
  const std::vector lexical{Passage({10, 20}, 1, 8), Passage({200, 220}, 2, 4)};
  const std::vector dense{Window({190, 300}, 1, 0.8), Window({0, 100}, 2, 0.7),
                          Window({400, 500}, 3, 0.6)};
  const std::vector<FoundPlace> fused = FuseByScores(lexical, dense, 0.75);
  // By hand: 0.75 · 1 + 0.25 · 4/8, 0.75 · (0.7 − 0.6)/0.2 + 0.25 · 1, and 0.
  ASSERT_EQ(fused.size(), 3U);
  EXPECT_EQ(fused[0].span, (TextSpan{190, 300}));
  EXPECT_DOUBLE_EQ(fused[0].score, 0.875);
  EXPECT_EQ(fused[0].focus, (TextSpan{200, 220}));
  EXPECT_EQ(fused[0].ranks.lexical->rank, 2U);
  EXPECT_EQ(fused[0].ranks.dense->rank, 1U);
  EXPECT_EQ(fused[0].ranks.fused->rank, 1U);
  EXPECT_NEAR(fused[1].score, 0.625, 1e-12);
  EXPECT_EQ(fused[2].score, 0);
  EXPECT_EQ(fused[2].focus, fused[2].span);
}

TEST(Fusion, APlaceOfOneListGetsNothingFromTheOther) {
  const std::vector lexical{Passage({0, 10}, 1, 5)};
  const std::vector dense{Window({100, 200}, 1, 0.9), Window({0, 10}, 2, 0.1, 2)};
  const std::vector<FoundPlace> fused = FuseByScores(lexical, dense, 0.6);
  EXPECT_THAT(Spans(fused), ElementsAre(TextSpan{100, 200}, TextSpan{0, 10}, TextSpan{0, 10}));
  EXPECT_DOUBLE_EQ(fused[0].score, 0.6);
  EXPECT_DOUBLE_EQ(fused[1].score, 0.4);
  EXPECT_EQ(fused[1].document, 1);
  EXPECT_FALSE(fused[1].ranks.dense);
}

TEST(Fusion, APassageBelongsToTheWindowThatHoldsMostOfIt) {
  const std::vector lexical{Passage({90, 130}, 1, 1), Passage({195, 300}, 2, 0.5)};
  const std::vector dense{Window({0, 110}, 1, 0.9), Window({100, 200}, 2, 0.8)};
  const std::vector<FoundPlace> fused = FuseByScores(lexical, dense, 0.5);
  // [90, 130) lies in both windows, by 20 and by 30 bytes; [195, 300) in none by half.
  EXPECT_THAT(Spans(fused), ElementsAre(TextSpan{0, 110}, TextSpan{100, 200}, TextSpan{195, 300}));
  EXPECT_FALSE(fused[0].ranks.lexical);
  EXPECT_EQ(fused[1].ranks.lexical->rank, 1U);
}

TEST(Fusion, OneListAloneKeepsItsOrder) {
  const std::vector lexical{Passage({0, 10}, 1, 3), Passage({50, 60}, 2, 2)};
  const std::vector dense{Window({0, 100}, 1, 0.5), Window({100, 200}, 2, 0.5)};
  EXPECT_EQ(Spans(FuseByScores(lexical, {}, 0.7)), Spans(lexical));
  EXPECT_EQ(Spans(FuseByScores({}, dense, 0.7)), Spans(dense));
  EXPECT_THAT(FuseByScores({}, {}, 0.7), IsEmpty());
  EXPECT_EQ(Spans(FuseByRanks(lexical, {})), Spans(lexical));
  EXPECT_EQ(Spans(FuseByRanks({}, dense)), Spans(dense));
}

TEST(Fusion, ReciprocalRanksAddUp) {
  const std::vector lexical{Passage({0, 10}, 1, 3), Passage({50, 60}, 2, 2)};
  const std::vector dense{Window({300, 400}, 1, 0.5), Window({40, 100}, 2, 0.4)};
  const std::vector<FoundPlace> fused = FuseByRanks(lexical, dense);
  EXPECT_THAT(Spans(fused), ElementsAre(TextSpan{40, 100}, TextSpan{300, 400}, TextSpan{0, 10}));
  EXPECT_THAT(fused[0].score, DoubleEq(1.0 / 12 + 1.0 / 12));
  EXPECT_THAT(fused[1].score, DoubleEq(1.0 / 11));
}

}  // namespace
}  // namespace tome
