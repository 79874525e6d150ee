#include "tome/generate/prompt_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(PromptLookup, DraftsWhatFollowedTheLastPlace) {
  PromptLookup lookup(2, 3);
  EXPECT_THAT(lookup.Draft(std::vector<TokenId>{1, 2, 3, 4, 1, 2, 5, 6, 7, 8, 1, 2}),
              ElementsAre(5, 6, 7));
}

TEST(PromptLookup, DraftsNothingThatWasNotThere) {
  PromptLookup lookup(2, 3);
  EXPECT_THAT(lookup.Draft(std::vector<TokenId>{1, 2, 3}), IsEmpty());
  EXPECT_THAT(PromptLookup(3, 3).Draft(std::vector<TokenId>{1, 2}), IsEmpty());
  EXPECT_THAT(PromptLookup(3, 3).Draft({}), IsEmpty());
}

TEST(PromptLookup, GoesOnAsAFreshOneWould) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  PromptLookup going(2, 4);
  std::vector<TokenId> sequence;
  for (int i = 0; i < 500; ++i) {
    sequence.push_back(static_cast<TokenId>(random() % 5));
    EXPECT_EQ(going.Draft(sequence), PromptLookup(2, 4).Draft(sequence));
  }
}

}  // namespace
}  // namespace tome
