#include "tome/generate/prompt_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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

TEST(PromptLookup, DraftsNothingBehindTheEndAndAgreesWithASearch) {
  EXPECT_THAT(PromptLookup(2, 8).Draft(std::vector<TokenId>{1, 2, 3, 1, 2}), ElementsAre(3, 1, 2));
  EXPECT_THAT(PromptLookup(2, 8).Draft(std::vector<TokenId>{4, 4, 4}), ElementsAre(4));
  std::mt19937 random(20261125);
  for (int round = 0; round < 500; ++round) {
    std::vector<TokenId> sequence(random() % 60);
    for (TokenId& token : sequence) token = static_cast<TokenId>(random() % 4);
    const auto ngram = static_cast<int64_t>(1 + random() % 3);
    const auto most = static_cast<int64_t>(1 + random() % 6);
    std::vector<TokenId> expected;
    const auto size = static_cast<int64_t>(sequence.size());
    for (int64_t end = size - 1; end >= ngram; --end) {
      if (!std::equal(sequence.end() - ngram, sequence.end(), sequence.begin() + end - ngram))
        continue;
      expected.assign(sequence.begin() + end, sequence.begin() + std::min(size, end + most));
      break;
    }
    EXPECT_EQ(PromptLookup(ngram, most).Draft(sequence), expected);
  }
}

}  // namespace
}  // namespace tome
