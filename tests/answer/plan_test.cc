#include "tome/answer/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/temp_folder.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

constexpr int64_t kPlenty = int64_t{1} << 40;

// The model has two layers of 4 heads and 2 KV heads of 32, 700,000 weights in layers and 300,000
// in the head.
PlanFacts SmallFacts() {
  PlanFacts facts;
  facts.model.trained_tokens = 1000;
  facts.model.layers = 2;
  facts.model.linear = {{.dtype = DType::kQ8_0, .elements = 500'000, .bytes = 531'250},
                        {.dtype = DType::kF16, .elements = 200'000, .bytes = 400'000}};
  facts.model.head = {.dtype = DType::kQ8_0, .elements = 300'000, .bytes = 318'750};
  facts.model.kv = {.layers = 2, .kv_heads = 2, .head_size = 32};
  facts.model.attention_width = 2 * 4 * 32;
  facts.kv = KvType::kF16;
  facts.document_tokens = 600;
  facts.prompt_tokens = 640;
  facts.retrieval_tokens = 320;
  facts.answer_tokens = 100;
  facts.rates = ModelRates{.linear_per_second = 1e6,
                           .attention_per_second = 2e6,
                           .weight_bytes_per_second = 1e6,
                           .kv_bytes_per_second = 4e6};
  facts.budget_seconds = 5000;
  return facts;
}

TEST(PlanTest, EveryWayHasItsCost) {
  const Plan plan = MakePlan(SmallFacts());
  const PlannedWay& context = plan.Of(Way::kContext);
  EXPECT_EQ(context.tokens, 640);
  EXPECT_FALSE(context.estimated);
  // A token takes 2 layers · keys and values · 2 heads of 32 · 2 bytes. 640 tokens are ten whole
  // pages.
  EXPECT_EQ(context.memory_bytes, 640 * (2 * 2 * 2 * 32 * 2));
  EXPECT_EQ(context.disk_bytes, context.memory_bytes);
  double seconds = 0;
  for (int position = 1; position <= 640; ++position) {
    seconds += 2 * 700'000 / 1e6 + 4.0 * 2 * 4 * 32 * position / 2e6;
  }
  EXPECT_NEAR(context.read_seconds.value(), seconds, 1e-9 * seconds);
  EXPECT_NEAR(context.answer_seconds.value(), 1.25 + 327'680 / 4e6, 1e-12);
  EXPECT_FALSE(context.obstacle);

  const PlannedWay& retrieval = plan.Of(Way::kRetrieval);
  EXPECT_EQ(retrieval.tokens, 320);
  EXPECT_TRUE(retrieval.estimated);
  EXPECT_EQ(retrieval.memory_bytes * 2, context.memory_bytes);
  EXPECT_LT(*retrieval.read_seconds, seconds / 2);

  const PlannedWay& quotes = plan.Of(Way::kQuotes);
  EXPECT_EQ(quotes.tokens, 0);
  EXPECT_EQ(quotes.memory_bytes, 0);
  EXPECT_EQ(*quotes.read_seconds, 0);
  EXPECT_FALSE(quotes.obstacle);
}

TEST(PlanTest, AStartedPageTakesAWholeOne) {
  PlanFacts facts = SmallFacts();
  const int64_t whole = MakePlan(facts).Of(Way::kContext).memory_bytes;
  facts.prompt_tokens = 641;
  EXPECT_EQ(MakePlan(facts).Of(Way::kContext).memory_bytes, whole / 640 * 704);
}

TEST(PlanTest, TakesContextWhereAllFits) {
  const Plan plan = MakePlan(SmallFacts());
  EXPECT_EQ(plan.taken, Way::kContext);
  EXPECT_EQ(plan.why,
            "all 640 tokens of the documents are read: they fit the model's 1000 and take about "
            "1001.0 s");
}

TEST(PlanTest, DocumentsAndAnswerMayFillTheModelToTheLastToken) {
  PlanFacts facts = SmallFacts();
  facts.prompt_tokens = 900;
  EXPECT_EQ(MakePlan(facts).taken, Way::kContext);
  facts.prompt_tokens = 901;
  const Plan plan = MakePlan(facts);
  EXPECT_EQ(plan.taken, Way::kRetrieval);
  EXPECT_EQ(plan.Of(Way::kContext).obstacle.value().code, Code::kInvalidArgument);
  EXPECT_EQ(plan.why,
            "the best passages are read, because documents and question are 901 tokens, the answer "
            "may take 100, and the model was made for 1000");
}

TEST(PlanTest, ReadingAheadMayFillTheModelWithDocuments) {
  PlanFacts facts = SmallFacts();
  facts.answer_tokens = 0;
  facts.prompt_tokens = 1000;
  EXPECT_FALSE(MakePlan(facts).Of(Way::kContext).obstacle);
  facts.prompt_tokens = 1001;
  EXPECT_EQ(MakePlan(facts).Of(Way::kContext).obstacle.value().reason,
            "documents and question are 1001 tokens, and the model was made for 1000");
}

TEST(PlanTest, MemoryMayTakeItsShareOfWhatIsFree) {
  PlanFacts facts = SmallFacts();
  facts.free_memory = 327'680 / 4 * 5;
  EXPECT_EQ(MakePlan(facts).taken, Way::kContext);
  facts.free_memory = 327'680 / 4 * 5 - 8;
  const Plan plan = MakePlan(facts);
  EXPECT_EQ(plan.taken, Way::kRetrieval);
  EXPECT_EQ(plan.Of(Way::kContext).obstacle.value().code, Code::kOutOfMemory);
  EXPECT_THAT(plan.why, HasSubstr("remembering 640 tokens takes"));
  EXPECT_FALSE(plan.Of(Way::kRetrieval).obstacle);
}

TEST(PlanTest, WhatIsKeptIsNotRead) {
  PlanFacts facts = SmallFacts();
  const double whole = MakePlan(facts).Of(Way::kContext).read_seconds.value();
  facts.prompt_tokens = 600;
  const double beginning = MakePlan(facts).Of(Way::kContext).read_seconds.value();
  facts.prompt_tokens = 640;
  facts.budget_seconds = whole / 2;
  EXPECT_EQ(MakePlan(facts).taken, Way::kRetrieval);
  facts.kept_tokens = 600;
  const Plan plan = MakePlan(facts);
  EXPECT_NEAR(plan.Of(Way::kContext).read_seconds.value(), whole - beginning, 1e-9 * whole);
  EXPECT_EQ(plan.Of(Way::kContext).memory_bytes, 640 * (2 * 2 * 2 * 32 * 2));
  EXPECT_EQ(plan.taken, Way::kContext);
  EXPECT_THAT(plan.why, HasSubstr("600 of them are kept"));
}

TEST(PlanTest, ReadingMayTakeTheWholeBudget) {
  PlanFacts facts = SmallFacts();
  const double seconds = *MakePlan(facts).Of(Way::kContext).read_seconds;
  facts.budget_seconds = seconds;
  EXPECT_EQ(MakePlan(facts).taken, Way::kContext);
  facts.budget_seconds = seconds * 0.999;
  const Plan plan = MakePlan(facts);
  EXPECT_EQ(plan.taken, Way::kRetrieval);
  EXPECT_THAT(plan.why, EndsWith("and the budget is 1000 s"));
  EXPECT_THAT(plan.advice, ElementsAre(Advice::Raise(Setting::kBudget)));
  EXPECT_FALSE(plan.Of(Way::kContext).obstacle);  // it fits, and may be asked for
}

TEST(PlanTest, WithoutRatesSecondsAreUnknownAndTheBudgetIsNotAsked) {
  PlanFacts facts = SmallFacts();
  facts.rates.reset();
  facts.budget_seconds = 0;
  const Plan plan = MakePlan(facts);
  EXPECT_EQ(plan.taken, Way::kContext);
  EXPECT_FALSE(plan.Of(Way::kContext).read_seconds);
  EXPECT_THAT(plan.why, EndsWith("they fit the model's 1000"));
}

TEST(PlanTest, TheWholeLibraryIsNotReadByContext) {
  PlanFacts facts = SmallFacts();
  facts.documents_named = false;
  facts.prompt_tokens.reset();
  EXPECT_FALSE(IsWorthCounting(facts));
  const Plan plan = MakePlan(facts);
  EXPECT_EQ(plan.taken, Way::kRetrieval);
  EXPECT_THAT(plan.why, HasSubstr("no documents were named"));
}

TEST(PlanTest, HugeDocumentsAreEstimated) {
  PlanFacts facts = SmallFacts();
  facts.prompt_tokens.reset();
  facts.document_tokens = 4003;  // an estimate may be wrong, but not by four times
  EXPECT_TRUE(IsWorthCounting(facts));
  facts.document_tokens = 4004;
  EXPECT_FALSE(IsWorthCounting(facts));
  const Plan plan = MakePlan(facts);
  EXPECT_EQ(plan.Of(Way::kContext).tokens, 4004);
  EXPECT_TRUE(plan.Of(Way::kContext).estimated);
  EXPECT_GT(*plan.Of(Way::kContext).read_seconds, 0);
  EXPECT_THAT(plan.why,
              EndsWith("the documents are about 4004 tokens and the model was made for 1000"));
}

TEST(PlanTest, PassagesThatDoNotFitAreSaidSo) {
  PlanFacts facts = SmallFacts();
  facts.model.trained_tokens = 419;
  const Plan plan = MakePlan(facts);
  EXPECT_EQ(plan.taken, Way::kRetrieval);
  EXPECT_THAT(
      plan.Of(Way::kRetrieval).obstacle.value().advice,
      ElementsAre(Advice::Lower(Setting::kPassageTokens), Advice::Lower(Setting::kMaxTokens)));
  facts.model.trained_tokens = 420;
  EXPECT_FALSE(MakePlan(facts).Of(Way::kRetrieval).obstacle);
}

TEST(PlanTest, TextsBeyondTheModelAreReadWhenThatIsAskedFor) {
  PlanFacts facts = SmallFacts();
  facts.prompt_tokens = 1640;
  const Plan refused = MakePlan(facts);
  EXPECT_THAT(
      refused.Of(Way::kContext).obstacle->advice,
      ElementsAre(Advice::Use(Setting::kWay, "retrieval"), Advice::Use(Setting::kLonger, "dca"),
                  Advice::Use(Setting::kLonger, "yarn", "which read beyond that at a loss")));
  // `auto` reads passages already, so it is not advised to.
  EXPECT_EQ(refused.advice.size(), 2U);
  EXPECT_EQ(refused.advice.front(), Advice::Use(Setting::kLonger, "dca"));
  facts.longer = ContextExtension::kDca;
  const Plan plan = MakePlan(facts);
  EXPECT_FALSE(plan.Of(Way::kContext).obstacle);
  EXPECT_EQ(plan.taken, Way::kContext);
  EXPECT_THAT(plan.why, HasSubstr("dca takes them beyond the model's 1000"));
  facts.prompt_tokens = {};
  facts.document_tokens = 100'000;
  EXPECT_TRUE(IsWorthCounting(facts));
}

// The bytes of keys and values of 640 tokens of SmallFacts.
constexpr int64_t kWhole = 327'680;
constexpr int64_t kToken = kWhole / 640;

TEST(PlanTest, KeepingNeedsTheDisk) {
  PlanFacts facts = SmallFacts();
  EXPECT_EQ(MakePlan(facts).Of(Way::kContext).not_kept,
            Note("nothing is kept", {Advice::Raise(Setting::kCacheSize)}));
  facts.keeping = KeepingFacts{.max_bytes = kWhole};
  EXPECT_TRUE(MakePlan(facts).Of(Way::kContext).is_kept());  // the free disk space is unknown
  facts.free_disk = kWhole;
  EXPECT_TRUE(MakePlan(facts).Of(Way::kContext).is_kept());
  facts.free_disk = kWhole - 1;
  const Plan plan = MakePlan(facts);
  EXPECT_EQ(plan.Of(Way::kContext).not_kept, "it takes 0.3 MiB, and 0.3 MiB are free on the disk");
  EXPECT_FALSE(plan.Of(Way::kContext).is_kept());
  EXPECT_FALSE(plan.Of(Way::kContext).obstacle);  // the text is read all the same
  EXPECT_EQ(plan.taken, Way::kContext);
  // Tokens that are kept already are not written again.
  facts.kept_tokens = 64;
  EXPECT_TRUE(MakePlan(facts).Of(Way::kContext).is_kept());
  facts.free_disk = (640 - 64) * kToken - 1;
  EXPECT_THAT(MakePlan(facts).Of(Way::kContext).not_kept.value().text, HasSubstr("MiB more, and"));

  EXPECT_FALSE(plan.Of(Way::kRetrieval).is_kept());
  EXPECT_FALSE(plan.Of(Way::kQuotes).is_kept());
  EXPECT_FALSE(plan.Of(Way::kLinear).is_kept());
}

TEST(PlanTest, OldMemoriesMakeRoomForOneWithinTheLimit) {
  PlanFacts facts = SmallFacts();
  facts.free_disk = 0;
  facts.keeping = KeepingFacts{.max_bytes = kWhole, .used_bytes = kWhole};
  EXPECT_TRUE(MakePlan(facts).Of(Way::kContext).is_kept());
  facts.keeping = KeepingFacts{.max_bytes = 2 * kWhole, .used_bytes = kWhole};
  EXPECT_FALSE(MakePlan(facts).Of(Way::kContext).is_kept());
  facts.free_disk = kPlenty;
  facts.keeping = KeepingFacts{.max_bytes = kWhole - 1};
  EXPECT_EQ(MakePlan(facts).Of(Way::kContext).not_kept,
            Note("it takes 0.3 MiB, and kept memories may take 0.3 MiB",
                 {Advice::Raise(Setting::kCacheSize)}));
}

TEST(PlanTest, SparseAttentionIsNotKept) {
  PlanFacts facts = SmallFacts();
  facts.keeping = KeepingFacts{.max_bytes = kPlenty};
  EXPECT_TRUE(MakePlan(facts).Of(Way::kContext).is_kept());
  facts.sparse = true;
  EXPECT_THAT(MakePlan(facts).Of(Way::kContext).not_kept.value().text, HasSubstr("sparse"));
}

TEST(PlanTest, WhatHasNoRoomInRamNeedsTheDisk) {
  PlanFacts facts = SmallFacts();
  facts.resident_bytes = 40 * kToken;
  facts.free_disk = 600 * kToken;
  EXPECT_FALSE(MakePlan(facts).Of(Way::kContext).obstacle);
  facts.free_disk = 600 * kToken - 1;
  Plan plan = MakePlan(facts);
  EXPECT_EQ(plan.Of(Way::kContext).obstacle.value().code, Code::kIo);
  EXPECT_THAT(plan.why, HasSubstr("in RAM takes 0.3 MiB, and 0.3 MiB are free on the disk"));
  EXPECT_EQ(plan.taken, Way::kRetrieval);
  EXPECT_FALSE(plan.Of(Way::kRetrieval).obstacle);
  facts.free_disk = 279 * kToken;  // 320 are needed
  EXPECT_TRUE(MakePlan(facts).Of(Way::kRetrieval).obstacle);
  // Kept tokens are read from the store and need no other place on the disk.
  facts.kept_tokens = 384;
  EXPECT_FALSE(MakePlan(facts).Of(Way::kContext).obstacle);
  facts.kept_tokens = 0;
  facts.keeping = KeepingFacts{.max_bytes = kWhole, .used_bytes = kWhole};
  EXPECT_FALSE(MakePlan(facts).Of(Way::kContext).obstacle);
  facts.keeping->max_bytes = kWhole - 1;
  EXPECT_TRUE(MakePlan(facts).Of(Way::kContext).obstacle);
}

TEST(PlanTest, AHybridsMemoryLiesTwiceOnTheDisk) {
  PlanFacts facts = SmallFacts();
  facts.model.recurrent = {.layers = 2, .window = 4, .state = 16};
  facts.keeping = KeepingFacts{.max_bytes = kPlenty};
  facts.resident_bytes = 0;
  const int64_t disk = MakePlan(facts).Of(Way::kLinear).disk_bytes;
  EXPECT_GT(disk, kWhole);
  facts.free_disk = disk + kWhole;
  EXPECT_TRUE(MakePlan(facts).Of(Way::kLinear).is_kept());
  facts.free_disk = disk + kWhole - 1;
  EXPECT_FALSE(MakePlan(facts).Of(Way::kLinear).is_kept());
  EXPECT_FALSE(MakePlan(facts).Of(Way::kLinear).obstacle);
  facts.free_disk = kWhole - 1;
  EXPECT_TRUE(MakePlan(facts).Of(Way::kLinear).obstacle);
}

ModelFacts MadeFor(int64_t tokens) {
  ModelFacts facts;
  facts.trained_tokens = tokens;
  return facts;
}

TEST(TokenLimitsTest, LargeModelsHaveRoomForAll) {
  for (const int64_t tokens : {int64_t{3584}, int64_t{4096}, int64_t{131072}, kAnyLength}) {
    const TokenLimits limits = TokenLimitsFor(MadeFor(tokens), {}, BeyondContext::kNo);
    EXPECT_EQ(limits.answer_tokens, 1024) << tokens;
    EXPECT_EQ(limits.passage_tokens, 2048) << tokens;
  }
}

TEST(TokenLimitsTest, SmallModelsAnswerInLess) {
  const TokenLimits limits = TokenLimitsFor(MadeFor(2048), {}, BeyondContext::kNo);
  EXPECT_EQ(limits.answer_tokens, 512);
  EXPECT_EQ(limits.passage_tokens, 1024);
  const TokenLimits tiny = TokenLimitsFor(MadeFor(512), {}, BeyondContext::kNo);
  EXPECT_EQ(tiny.answer_tokens, 128);
  EXPECT_EQ(tiny.passage_tokens, 256);
  // A model that reads beyond its context need not save tokens.
  EXPECT_EQ(TokenLimitsFor(MadeFor(512), {}, BeyondContext::kYes).passage_tokens, 2048);
}

TEST(TokenLimitsTest, AllFitsWhateverTheModelIs) {
  for (int64_t tokens = 16; tokens < 5000; ++tokens) {
    const TokenLimits limits = TokenLimitsFor(MadeFor(tokens), {}, BeyondContext::kNo);
    EXPECT_LE(limits.answer_tokens + limits.passage_tokens, tokens) << tokens;
    EXPECT_GE(limits.answer_tokens, tokens < 3584 ? tokens / 5 : 1024) << tokens;
    EXPECT_LE(limits.answer_tokens, limits.passage_tokens) << tokens;
  }
}

TEST(TokenLimitsTest, WhatWasAskedForStaysAndTakesFromTheOther) {
  const TokenLimits answer =
      TokenLimitsFor(MadeFor(2048), {.answer_tokens = 1000}, BeyondContext::kNo);
  EXPECT_EQ(answer.answer_tokens, 1000);
  EXPECT_EQ(answer.passage_tokens, 536);
  const TokenLimits passages =
      TokenLimitsFor(MadeFor(2048), {.passage_tokens = 1500}, BeyondContext::kNo);
  EXPECT_EQ(passages.answer_tokens, 36);
  EXPECT_EQ(passages.passage_tokens, 1500);
  const TokenLimits both = TokenLimitsFor(
      MadeFor(2048), {.answer_tokens = 4000, .passage_tokens = 9000}, BeyondContext::kNo);
  EXPECT_EQ(both.answer_tokens, 4000);
  EXPECT_EQ(both.passage_tokens, 9000);
  EXPECT_EQ(
      TokenLimitsFor(MadeFor(2048), {.answer_tokens = 4000}, BeyondContext::kNo).passage_tokens, 1);
}

TEST(PlanTest, TheDiskOfAFolderThatIsNotThereYet) {
  const TempFolder folder;
  const auto space = std::filesystem::space(folder.path());
  const auto found = AvailableDisk(folder / "not" / "yet");
  ASSERT_TRUE(found);
  // Other processes write to the disk meanwhile.
  EXPECT_NEAR(static_cast<double>(*found), static_cast<double>(space.available), 1e9);
  EXPECT_TRUE(AvailableDisk("relative"));
}

TEST(PlanTest, WhatForgetsReadsNoWholeDocuments) {
  PlanFacts facts = SmallFacts();
  facts.forgets = true;
  EXPECT_FALSE(IsWorthCounting(facts));
  const Plan plan = MakePlan(facts);
  EXPECT_EQ(plan.taken, Way::kRetrieval);
  EXPECT_THAT(plan.why, HasSubstr("a window would forget"));
  EXPECT_THAT(plan.advice, ElementsAre(Advice::LeaveOut(Setting::kWindow)));
}

}  // namespace
}  // namespace tome
