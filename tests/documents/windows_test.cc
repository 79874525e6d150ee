#include "tome/documents/windows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "tests/documents/random_document.h"
#include "tests/expect_error.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<Window> WindowsOf(const Document& document, const WindowSize& size) {
  return CutWindows(document.text, document.sections, document.line_breaks,
                    CutPassages(document, kPassageTokens, {}), size, {});
}

std::vector<std::string> Texts(const Document& document, const WindowSize& size) {
  std::vector<std::string> texts;
  for (const Window& window : WindowsOf(document, size)) {
    texts.push_back(document.text.substr(window.span.begin, window.span.size()));
  }
  return texts;
}

Document TextDocument(std::string text) {
  Document document;
  document.format = "text";
  document.text = std::move(text);
  return document;
}

uint64_t TokensOf(const Document& document, const TextSpan& span) {
  return EstimateTokens(document.text.substr(span.begin, span.size()));
}

TEST(Windows, GoOnAcrossParagraphsAndOverlapBySentences) {
  const Document document =
      TextDocument("One one one. Two two two.\n\nSix six six. Ten ten ten. Red red red.");
  const uint64_t sentence = EstimateTokens("One one one.");
  EXPECT_THAT(Texts(document, {.tokens = 3 * sentence, .overlap = sentence}),
              ElementsAre("One one one. Two two two.\n\nSix six six.",
                          "Six six six. Ten ten ten. Red red red."));
}

TEST(Windows, EndAtASectionOnlyWhereTheyAreHalfFull) {
  Document document =
      TextDocument("A\n\nShort.\n\nB\n\n" + std::string(200, 'b') + ".\n\nC\n\nThe last section.");
  const uint64_t b = document.text.find("B\n");
  const uint64_t c = document.text.find("C\n");
  document.sections = {{.title = "A", .span = {.begin = 0, .end = b}},
                       {.title = "B", .span = {.begin = b, .end = c}},
                       {.title = "C", .span = {.begin = c, .end = document.text.size()}}};
  const uint64_t long_sentence = EstimateTokens(std::string(200, 'b'));
  // "Short." goes with the section after it, which fills the window; "C" begins the next one
  // without overlap.
  const std::vector<Window> windows =
      WindowsOf(document, {.tokens = long_sentence + 40, .overlap = 10});
  ASSERT_EQ(windows.size(), 2U);
  EXPECT_EQ(windows[0].section, kNoParent);
  EXPECT_EQ(windows[1], (Window{.span = {.begin = c, .end = document.text.size()}, .section = 2}));
}

TEST(Windows, AnEndlessSentenceIsAWindowOfItsOwn) {
  const std::string endless(3000, 'x');
  const Document document = TextDocument("First. " + endless + ". Last.");
  const std::vector<std::string> texts = Texts(document, {.tokens = 100, .overlap = 20});
  std::string all;
  for (const std::string& text : texts) all += text;
  EXPECT_GE(all.size(), endless.size());
  EXPECT_THAT(texts.front(), testing::StartsWith("First."));
  EXPECT_THAT(texts.back(), testing::EndsWith("Last."));
}

TEST(Windows, NoTextHasNone) {
  EXPECT_THAT(WindowsOf(TextDocument(""), {}), IsEmpty());
  EXPECT_THAT(WindowsOf(TextDocument(" \n\n "), {}), IsEmpty());
}

TEST(Windows, StopOnRequest) {
  const Document document = TextDocument("Text.");
  std::stop_source source;
  source.request_stop();
  const auto passages = CutPassages(document, kPassageTokens, {});
  EXPECT_TRUE(Fails(Code::kCancelled, [&] {
    CutWindows(document.text, {}, LineBreaks::kHard, passages, {},
               {.stop = source.get_token(), .progress = {}});
  }));
}

// Holds the promises of the header against random documents, with sections and wrapped lines.
TEST(Windows, CoverEveryPassageInOrderWithinTheirSize) {
  std::mt19937 random(17);
  for (int round = 0; round < 200; ++round) {
    const Document document = RandomDocument(random);
    const std::vector<Passage> passages = CutPassages(document, kPassageTokens, {});
    const WindowSize size{.tokens = 40 + random() % 300, .overlap = random() % 19};
    const std::vector<Window> windows = WindowsOf(document, size);
    ASSERT_EQ(windows.empty(), passages.empty());
    if (windows.empty()) continue;
    EXPECT_EQ(windows.front().span.begin, passages.front().span.begin);
    EXPECT_EQ(windows.back().span.end, passages.back().span.end);
    SentenceSplitter splitter;
    for (size_t i = 0; i < windows.size(); ++i) {
      const Window& window = windows[i];
      ASSERT_LT(window.span.begin, window.span.end);
      if (i > 0) {
        const TextSpan& before = windows[i - 1].span;
        ASSERT_LT(before.begin, window.span.begin);
        ASSERT_LT(before.end, window.span.end);
        if (window.span.begin < before.end) {
          EXPECT_LE(TokensOf(document, {.begin = window.span.begin, .end = before.end}),
                    size.overlap + 1);
        } else {
          const std::string gap = document.text.substr(before.end, window.span.begin - before.end);
          EXPECT_EQ(CollapseWhiteSpace(gap), "");
        }
      }
      if (window.section != kNoParent) {
        const TextSpan& section = document.sections[static_cast<size_t>(window.section)].span;
        EXPECT_LE(section.begin, window.span.begin);
        EXPECT_GE(section.end, window.span.end);
      }
    }
  }
}

}  // namespace
}  // namespace tome
