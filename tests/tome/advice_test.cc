#include "advice.h"

#include <gtest/gtest.h>

#include <set>

namespace tome {
namespace {

TEST(AdviceTest, EverySettingHasAnOptionOfItsOwn) {
  std::set<std::string_view> options;
  for (int i = 0; i <= static_cast<int>(kLastSetting); ++i) {
    const std::string_view option = OptionOf(static_cast<Setting>(i));
    EXPECT_TRUE(option.starts_with("--")) << i;
    EXPECT_TRUE(options.insert(option).second) << option;
  }
}

TEST(AdviceTest, AlternativesOfOneKindShareTheirVerb) {
  EXPECT_EQ(Worded(Note("the text is long")), "the text is long");
  EXPECT_EQ(Worded("it is too long", std::vector{Advice::Lower(Setting::kPassageTokens),
                                                 Advice::Lower(Setting::kMaxTokens)}),
            "it is too long; lower --passage-tokens or --max-tokens");
  EXPECT_EQ(Worded("it is too long", std::vector{Advice::LeaveOut(Setting::kWindow),
                                                 Advice::LeaveOut(Setting::kLonger)}),
            "it is too long; leave out --window or --longer");
  EXPECT_EQ(Worded("UTF-8 is a guess", std::vector{Advice::Name(Setting::kEncoding)}),
            "UTF-8 is a guess; name another with --encoding");
}

TEST(AdviceTest, OtherKindsAndSettingsFollowBehindAComma) {
  EXPECT_EQ(Worded("no", std::vector{Advice::Use(Setting::kWay, "retrieval"),
                                     Advice::Use(Setting::kLonger, "dca"),
                                     Advice::Use(Setting::kLonger, "yarn", "which read on")}),
            "no; use --way retrieval, or --longer dca or --longer yarn, which read on");
  EXPECT_EQ(Worded("no", std::vector{Advice::Lower(Setting::kMaxTokens),
                                     Advice::Use(Setting::kLonger, {}, "which reads on"),
                                     Advice::Raise(Setting::kMemory)}),
            "no; lower --max-tokens, or use --longer, which reads on, or raise --memory");
}

TEST(AdviceTest, WhatToMeasureNamesTheModel) {
  const Error error(Code::kUnavailable, "unknown",
                    {Advice::Measure(Setting::kKv, "q4", "a model.gguf")});
  EXPECT_EQ(Worded(error.In("q4")),
            "q4: unknown; measure what that costs: tome bench kv --model 'a model.gguf' --text "
            "FILE --kv q4");
  EXPECT_EQ(Worded(Note("8 bits", {Advice::Measure(Setting::kKv, "q8", {})})),
            "8 bits; measure what that costs: tome bench kv");
}

}  // namespace
}  // namespace tome
