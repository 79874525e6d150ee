#include "tome/answer/thinking.h"

#include <gtest/gtest.h>

#include <string>

namespace tome {
namespace {

std::string Filtered(const std::string& text, size_t cut, bool begun) {
  ThinkingFilter filter(begun);
  std::string out = filter.Push(text.substr(0, cut));
  out += filter.Push(text.substr(cut));
  return out + filter.Finish();
}

void ExpectAtEveryCut(const std::string& text, bool begun, const std::string& expected) {
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(Filtered(text, cut, begun), expected) << text << " cut at " << cut;
  }
  ThinkingFilter filter(begun);
  std::string out;
  for (const char byte : text) out += filter.Push(std::string(1, byte));
  EXPECT_EQ(out + filter.Finish(), expected) << text << " byte by byte";
}

TEST(Thinking, IsNoPartOfTheAnswerHoweverItIsCut) {
  ExpectAtEveryCut("<think>\nHm, 灯塔 </thin> <think>\n</think>\n\nThe keeper.\n", false,
                   "The keeper.\n");
  ExpectAtEveryCut(" \n<think></think>灯。", false, "灯。");
}

TEST(Thinking, MayHaveBeenBegunByTheTemplate) {
  ExpectAtEveryCut("\nHm.</think>\nThe keeper.", true, "The keeper.");
}

TEST(Thinking, OnlyInFrontOfTheAnswerIsAny) {
  ExpectAtEveryCut("The keeper <think>lit</think> it.", false, "The keeper <think>lit</think> it.");
  ExpectAtEveryCut(" <thin", false, " <thin");
  ExpectAtEveryCut("<thinking aloud", false, "<thinking aloud");
  ExpectAtEveryCut("", false, "");
}

TEST(Thinking, ThatNeverEndsLeavesNothing) {
  ExpectAtEveryCut("<think>Hm. </think", false, "");
  ExpectAtEveryCut("Hm.", true, "");
  ThinkingFilter endless(false);
  EXPECT_EQ(endless.Push("<think>"), "");
  EXPECT_TRUE(endless.is_thinking());
  EXPECT_EQ(endless.Push(std::string(1 << 20, 'x')), "");
  EXPECT_TRUE(endless.is_thinking());
  EXPECT_EQ(endless.Push("</think>a"), "a");
  EXPECT_FALSE(endless.is_thinking());
}

}  // namespace
}  // namespace tome
