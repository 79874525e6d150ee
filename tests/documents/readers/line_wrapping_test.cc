#include "tome/documents/readers/line_wrapping.h"

#include <gtest/gtest.h>

#include <string>

namespace tome {
namespace {

// Wraps at `columns` as editors do; a Chinese character counts as two columns.
std::string Wrap(const std::string& text, size_t columns) {
  std::string out;
  size_t column = 0;
  for (size_t i = 0; i < text.size();) {
    const bool is_wide = (text[i] & 0x80) != 0;
    const size_t end = is_wide ? i + 3 : text.find_first_of(" \xE4\xE5\xE6\xE7", i + 1);
    const std::string word = text.substr(i, end - i);
    const size_t width = is_wide ? 2 : word.size();
    if (column + width > columns) {
      out += '\n';
      column = 0;
      out += word[0] == ' ' ? word.substr(1) : word;
    } else {
      out += word;
    }
    column += width;
    i = end == std::string::npos ? text.size() : end;
  }
  return out;
}

const char* const kProse =
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age "
    "of foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the "
    "season "
    "of Light, it was the season of Darkness, it was the spring of hope, it was the winter of "
    "despair, we had everything before us, we had nothing before us.";

TEST(LineWrappingTest, WrappedProseIsSoft) {
  const std::string paragraph = Wrap(kProse, 72);
  EXPECT_EQ(FindLineBreaks(paragraph + "\n\n" + paragraph), LineBreaks::kSoft);
  std::string chinese;
  for (int i = 0; i < 30; ++i) chinese += "他在车站等了很久没有人来天色晚了";
  EXPECT_EQ(FindLineBreaks(Wrap(chinese, 70)), LineBreaks::kSoft);
}

TEST(LineWrappingTest, ALongWrappedTextIsJudgedByASample) {
  std::string text;
  while (text.size() < 2'000'000) text += Wrap(kProse, 60 + text.size() % 3) + "\n\n";
  EXPECT_EQ(FindLineBreaks(text), LineBreaks::kSoft);
}

TEST(LineWrappingTest, ParagraphsOfOneLineAreHard) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += std::string(kProse).substr(0, 40 + 13 * (i % 7)) + ".\n";
  EXPECT_EQ(FindLineBreaks(text), LineBreaks::kHard);
  EXPECT_EQ(FindLineBreaks("one\n\ntwo\n\nthree\n\nfour\n\nfive"), LineBreaks::kHard);
  std::string wide;
  for (int i = 0; i < 20; ++i) wide += std::string(kProse) + "\n";
  EXPECT_EQ(FindLineBreaks(wide), LineBreaks::kHard);
}

TEST(LineWrappingTest, VerseAndShortTextsAreHard) {
  EXPECT_EQ(FindLineBreaks("Shall I compare thee to a summer's day?\n"
                           "Thou art more lovely and more temperate:\n"
                           "Rough winds do shake the darling buds of May,\n"
                           "And summer's lease hath all too short a date;\n"
                           "Sometime too hot the eye of heaven shines,\n"
                           "And often is his gold complexion dimm'd;\n"
                           "And every fair from fair sometime declines,\n"
                           "By chance or nature's changing course untrimm'd;"),
            LineBreaks::kHard);
  EXPECT_EQ(
      FindLineBreaks(
          "床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。\n床前明月光，\n疑是地上霜。"),
      LineBreaks::kHard);
  EXPECT_EQ(FindLineBreaks(""), LineBreaks::kHard);
  EXPECT_EQ(FindLineBreaks("one line\nanother"), LineBreaks::kHard);
}

}  // namespace
}  // namespace tome
