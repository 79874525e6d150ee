#include "tome/text/marked_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Origin kTemplate = Origin::kTemplate;
constexpr Origin kContent = Origin::kContent;

TEST(MarkedTextTest, MergesNeighboursOfOneOrigin) {
  MarkedText text("<b>", kTemplate);
  text.Append("one", kTemplate);
  text.Append("", kContent);
  text.Append("two", kContent);
  text.Append(MarkedText("three", kContent));
  text.Append("!", kTemplate);
  EXPECT_THAT(text.Pieces(),
              ElementsAre(PromptPiece{"<b>one", kTemplate}, PromptPiece{"twothree", kContent},
                          PromptPiece{"!", kTemplate}));
  EXPECT_EQ(text.origin(), kContent);
  EXPECT_EQ(text.OriginOf(0, 6), kTemplate);
  EXPECT_EQ(text.OriginOf(5, 7), kContent);
  EXPECT_EQ(text.OriginOf(14, 15), kTemplate);
}

TEST(MarkedTextTest, HasNoPiecesWhenEmpty) {
  EXPECT_THAT(MarkedText("", kContent).Pieces(), IsEmpty());
  EXPECT_EQ(MarkedText().origin(), kTemplate);
}

TEST(MarkedTextTest, CanBeAppendedToItself) {
  MarkedText text("a", kTemplate);
  text.Append("b", kContent);
  text.Append(text);
  EXPECT_EQ(text.text(), "abab");
  EXPECT_EQ(text.runs().size(), 4U);
}

// Compares random operations with a text that has one mark for each byte.
TEST(MarkedTextTest, AgreesWithMarksOfSingleBytes) {
  std::mt19937 random(7);
  const auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n)(random); };
  MarkedText text;
  std::string marks;
  for (int step = 0; step < 2000; ++step) {
    if (below(2) == 0 || text.empty()) {
      const Origin origin = below(1) == 0 ? kTemplate : kContent;
      const std::string part(below(3), 'x');
      text.Append(part, origin);
      marks.append(part.size(), origin == kTemplate ? 't' : 'c');
    } else {
      const size_t begin = below(text.size());
      const size_t end = begin + below(std::min<size_t>(text.size() - begin, 9));
      text.Append(text, begin, end);
      marks += marks.substr(begin, end - begin);
    }
    const size_t begin = below(text.size());
    const size_t end = begin + below(text.size() - begin);
    const bool content = marks.substr(begin, end - begin).find('c') != std::string::npos;
    ASSERT_EQ(text.OriginOf(begin, end), content ? kContent : kTemplate);
    std::string sliced;
    for (const PromptPiece& piece : text.Slice(begin, end).Pieces()) {
      sliced.append(piece.text.size(), piece.origin == kTemplate ? 't' : 'c');
    }
    ASSERT_EQ(sliced, marks.substr(begin, end - begin));
  }
}

}  // namespace
}  // namespace tome
