#include "tome/answer/thinking.h"

#include <gtest/gtest.h>

#include <string>

namespace tome {
namespace {

using Start = ThinkingFilter::Start;

std::string Filtered(const std::string& text, size_t cut, Start start) {
  ThinkingFilter filter(start);
  std::string out = filter.Push(text.substr(0, cut));
  out += filter.Push(text.substr(cut));
  return out + filter.Finish();
}

void ExpectAtEveryCut(const std::string& text, Start start, const std::string& expected) {
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(Filtered(text, cut, start), expected) << text << " cut at " << cut;
  }
  ThinkingFilter filter(start);
  std::string out;
  for (const char byte : text) out += filter.Push(std::string(1, byte));
  EXPECT_EQ(out + filter.Finish(), expected) << text << " byte by byte";
}

TEST(Thinking, IsNoPartOfTheAnswerHoweverItIsCut) {
  ExpectAtEveryCut("<think>\nHm, 灯塔 </thin> <think>\n</think>\n\nThe keeper.\n", Start::kUnknown,
                   "The keeper.\n");
  ExpectAtEveryCut(" \n<think></think>灯。", Start::kUnknown, "灯。");
}

TEST(Thinking, MayHaveBeenBegunByTheTemplate) {
  ExpectAtEveryCut("\nHm.</think>\nThe keeper.", Start::kThinking, "The keeper.");
}

TEST(Thinking, OnlyInFrontOfTheAnswerIsAny) {
  ExpectAtEveryCut("The keeper <think>lit</think> it.", Start::kUnknown,
                   "The keeper <think>lit</think> it.");
  ExpectAtEveryCut(" <thin", Start::kUnknown, " <thin");
  ExpectAtEveryCut("<thinking aloud", Start::kUnknown, "<thinking aloud");
  ExpectAtEveryCut("", Start::kUnknown, "");
}

TEST(Thinking, ThatNeverEndsLeavesNothing) {
  ExpectAtEveryCut("<think>Hm. </think", Start::kUnknown, "");
  ExpectAtEveryCut("Hm.", Start::kThinking, "");
  ThinkingFilter endless(Start::kUnknown);
  EXPECT_EQ(endless.Push("<think>"), "");
  EXPECT_TRUE(endless.is_thinking());
  EXPECT_EQ(endless.Push(std::string(1 << 20, 'x')), "");
  EXPECT_TRUE(endless.is_thinking());
  EXPECT_EQ(endless.Push("</think>a"), "a");
  EXPECT_FALSE(endless.is_thinking());
}

}  // namespace
}  // namespace tome
