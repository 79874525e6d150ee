#include "tome/answer/prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace tome {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Prompt, SpeaksTheLanguageOfTheQuestion) {
  EXPECT_EQ(LanguageOf("Who finds the letter?"), PromptLanguage::kEnglish);
  EXPECT_EQ(LanguageOf("Кто нашёл письмо?"), PromptLanguage::kEnglish);
  EXPECT_EQ(LanguageOf("谁找到了信？"), PromptLanguage::kChinese);
  EXPECT_EQ(LanguageOf("Debian 默认的分页程序是哪个？"), PromptLanguage::kChinese);
  EXPECT_EQ(LanguageOf("What does 道 mean?"), PromptLanguage::kEnglish);
  EXPECT_EQ(LanguageOf("誰が手紙を見つけましたか"), PromptLanguage::kEnglish);
  EXPECT_EQ(LanguageOf("누가 편지를 찾았습니까?"), PromptLanguage::kEnglish);
  EXPECT_EQ(LanguageOf(""), PromptLanguage::kEnglish);
  EXPECT_EQ(LanguageOf("2+2?"), PromptLanguage::kEnglish);
  EXPECT_EQ(LanguageOf("\xFF\xE4\xBD"), PromptLanguage::kEnglish);
}

TEST(Prompt, KnowsJapaneseAndKoreanInEveryForm) {
  EXPECT_EQ(LanguageOf("手紙ｦ見ﾂｹﾀ人?"), PromptLanguage::kEnglish);  // half-width katakana
  EXPECT_EQ(LanguageOf("\u1112\u1161\u11AB 漢字"), PromptLanguage::kEnglish);  // Hangul in jamo
  // Chinese typography puts the katakana middle dot between the parts of foreign names.
  EXPECT_EQ(LanguageOf("约翰・史密斯是谁？"), PromptLanguage::kChinese);
}

TEST(Prompt, WordsAreInTheLanguageOfTheQuestion) {
  const std::string_view text = "灯塔 stands.";
  EXPECT_THAT(PromptOf("Who?", {&text, 1}), HasSubstr("Answer the question"));
  EXPECT_THAT(PromptOf("谁在灯塔里？", {&text, 1}), HasSubstr("请根据上面的文字"));
  EXPECT_THAT(PromptOf("谁在灯塔里？", {&text, 1}), Not(HasSubstr("Answer")));
  EXPECT_TRUE(FollowUpPromptOf("Who?").ends_with("\nWho?"));
  EXPECT_TRUE(FollowUpPromptOf("谁在灯塔里？").ends_with("\n谁在灯塔里？"));
  EXPECT_NE(ReplyOpening(PromptLanguage::kEnglish), ReplyOpening(PromptLanguage::kChinese));
  EXPECT_EQ(NameOf(PromptLanguage::kEnglish), "en");
  EXPECT_EQ(NameOf(PromptLanguage::kChinese), "zh");
}

TEST(Prompt, TextsStandVerbatimInOrderAndTheQuestionLast) {
  const std::string first = "Braces {0} {} and\n\n  spaces stay.\t";
  const std::vector<std::string_view> texts{first, "第二篇。"};
  const std::string prompt = PromptOf("{0} who?", texts);
  EXPECT_TRUE(prompt.starts_with(first + "\n\n第二篇。\n\n"));
  EXPECT_TRUE(prompt.ends_with("\n{0} who?"));
  // All text before the question is the same for another question of that language.
  const std::string other = PromptOf("Another?", texts);
  const std::string_view shared =
      std::string_view(prompt).substr(0, prompt.size() - std::string_view("{0} who?").size());
  EXPECT_TRUE(other.starts_with(shared));
}

TEST(Prompt, EvidenceStandsOnceMoreBetweenTextsAndQuestion) {
  const std::string_view text = "The keeper slept. The lamp burned.";
  const std::string prompt = PromptOf("What burned?", {&text, 1}, "The lamp burned. {}");
  EXPECT_TRUE(prompt.starts_with(text));
  EXPECT_LT(prompt.find("matter most:\nThe lamp burned. {}\n\n"),
            prompt.find("Answer the question"));
  EXPECT_EQ(prompt,
            std::string(text) + "\n\n" + FollowUpPromptOf("What burned?", "The lamp burned. {}"));
  EXPECT_THAT(FollowUpPromptOf("什么在烧？", "灯在烧。"), HasSubstr("最相关的句子：\n灯在烧。\n"));
}

// A prompt without texts equals the end of a prompt with texts. The end of a prompt is found by
// this, and the contrast to no evidence relies on it.
TEST(Prompt, WithoutTextsItIsTheEndOfThePromptWithThem) {
  const std::string_view text = "The lamp burned.";
  for (const char* question : {"What burned?", "什么在烧？"}) {
    EXPECT_EQ(PromptOf(question, {}), FollowUpPromptOf(question));
    EXPECT_TRUE(PromptOf(question, {&text, 1}).ends_with(PromptOf(question, {})));
  }
}

}  // namespace
}  // namespace tome
