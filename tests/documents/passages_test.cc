#include "tome/documents/passages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/documents/random_document.h"
#include "tests/expect_error.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string TextOf(const Document& document, const TextSpan& span) {
  return document.text.substr(span.begin, span.size());
}

Document TextDocument(std::string text, LineBreaks line_breaks = LineBreaks::kHard) {
  Document document;
  document.format = "text";
  document.text = std::move(text);
  document.line_breaks = line_breaks;
  return document;
}

std::vector<std::string> Texts(const Document& document, const std::vector<Passage>& passages) {
  std::vector<std::string> texts;
  for (const Passage& passage : passages) texts.push_back(TextOf(document, passage.span));
  return texts;
}

std::vector<std::string> Cut(const Document& document, uint64_t budget) {
  return Texts(document, CutPassages(document, budget, {}));
}

// Returns which bytes are visible by ICU's property, independently of the code that cuts passages.
std::vector<bool> VisibleBytes(const std::string& text) {
  std::vector<bool> visible(text.size(), false);
  for (uint64_t i = 0; i < text.size();) {
    const uint64_t begin = i;
    const char32_t c = NextCodePoint(text, i);
    if (u_isUWhiteSpace(static_cast<UChar32>(c)) != 0) continue;
    std::fill(visible.begin() + static_cast<ptrdiff_t>(begin),
              visible.begin() + static_cast<ptrdiff_t>(i), true);
  }
  return visible;
}

// Returns the blocks of a text, which are separated by empty lines and by the beginnings of
// sections.
std::vector<TextSpan> BlocksOf(const Document& document) {
  std::vector<uint64_t> cuts{0, document.text.size()};
  for (size_t at = document.text.find("\n\n"); at != std::string::npos;
       at = document.text.find("\n\n", at + 2)) {
    cuts.push_back(at);
  }
  for (const Section& section : document.sections) cuts.push_back(section.span.begin);
  std::sort(cuts.begin(), cuts.end());
  std::vector<TextSpan> blocks;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    if (cuts[i] < cuts[i + 1]) blocks.push_back({cuts[i], cuts[i + 1]});
  }
  return blocks;
}

// Returns whether the span contains nothing but titles of sections that begin in it, each at its
// beginning.
bool HoldsOnlyHeadings(const Document& document, const TextSpan& span) {
  const std::vector<bool> visible = VisibleBytes(document.text);
  std::vector<bool> heading(document.text.size(), false);
  for (const Section& section : document.sections) {
    if (document.text.compare(section.span.begin, section.title.size(), section.title) != 0) {
      continue;
    }
    const uint64_t end = section.span.begin + section.title.size();
    for (uint64_t i = section.span.begin; i < end; ++i) heading[i] = true;
  }
  for (uint64_t i = span.begin; i < span.end; ++i) {
    if (visible[i] && !heading[i]) return false;
  }
  return true;
}

void CheckPassages(const Document& document, uint64_t budget) {
  const std::vector<Passage> passages = CutPassages(document, budget, {});
  const std::string& text = document.text;
  const std::vector<bool> visible = VisibleBytes(text);

  uint64_t covered = 0;
  for (const Passage& passage : passages) {
    ASSERT_LT(passage.span.begin, passage.span.end);
    ASSERT_LE(covered, passage.span.begin);
    ASSERT_LE(passage.span.end, text.size());
    EXPECT_TRUE(visible[passage.span.begin] && visible[passage.span.end - 1])
        << "white space at an end of [" << TextOf(document, passage.span) << "]";
    EXPECT_EQ(FloorToCodePoint(text, passage.span.begin), passage.span.begin);
    EXPECT_EQ(FloorToCodePoint(text, passage.span.end), passage.span.end);
    EXPECT_EQ(std::count(visible.begin() + static_cast<ptrdiff_t>(covered),
                         visible.begin() + static_cast<ptrdiff_t>(passage.span.begin), true),
              0)
        << "visible text before " << passage.span.begin << " lies in no passage";
    covered = passage.span.end;
    EXPECT_EQ(passage.tokens, EstimateTokens(TextOf(document, passage.span)));
    EXPECT_EQ(passage.page, PageAt(document.pages, passage.span.begin));
    EXPECT_EQ(passage.section, SectionAt(document.sections, passage.span.end - 1));
  }
  EXPECT_EQ(std::count(visible.begin() + static_cast<ptrdiff_t>(covered), visible.end(), true), 0);

  for (const Passage& passage : passages) {
    for (const Section& section : document.sections) {
      for (const uint64_t boundary : {section.span.begin, section.span.end}) {
        if (boundary <= passage.span.begin || boundary >= passage.span.end) continue;
        EXPECT_TRUE(HoldsOnlyHeadings(document, {passage.span.begin, boundary}))
            << "a section boundary in [" << TextOf(document, passage.span) << "]";
      }
    }
  }

  SentenceSplitter splitter;
  std::vector<bool> begins_sentence(text.size() + 1, false);
  for (const TextSpan& block : BlocksOf(document)) {
    for (const TextSpan& sentence : Sentences(text, block, document.line_breaks, splitter)) {
      begins_sentence[sentence.begin] = true;
      if (EstimateTokens(TextOf(document, sentence)) > kMaxBudgets * budget) continue;
      for (const Passage& passage : passages) {
        const auto tears = [&](uint64_t at) { return at > sentence.begin && at < sentence.end; };
        EXPECT_FALSE(tears(passage.span.begin) || tears(passage.span.end))
            << "torn: [" << TextOf(document, sentence) << "] by [" << TextOf(document, passage.span)
            << "]";
      }
    }
  }
  for (const Passage& passage : passages) {
    if (passage.tokens <= budget) continue;
    // A passage exceeds the budget only where it is a single sentence, with the headings above it.
    for (uint64_t at = passage.span.begin + 1; at < passage.span.end; ++at) {
      if (!begins_sentence[at]) continue;
      EXPECT_TRUE(HoldsOnlyHeadings(document, {passage.span.begin, at}))
          << passage.tokens << " tokens in [" << TextOf(document, passage.span) << "]";
    }
  }
}

TEST(PassagesTest, GathersParagraphsWhileTheyFit) {
  DocumentBuilder builder("html");
  builder.Paragraph("One two three.");   // 4 tokens
  builder.Paragraph("Four five six.");   // 4 tokens
  builder.Paragraph("Seven and eight");  // 4 tokens
  const Document document = std::move(builder).Finish();
  EXPECT_THAT(Cut(document, 9), ElementsAre("One two three.\n\nFour five six.", "Seven and eight"));
  EXPECT_THAT(Cut(document, 100), ElementsAre(document.text));
  EXPECT_THAT(Cut(Document(), 10), IsEmpty());
}

TEST(PassagesTest, WhiteSpaceBetweenPartsCountsTowardsTheBudget) {
  DocumentBuilder builder("html");
  for (int i = 0; i < 100; ++i) builder.Paragraph("好");
  const Document document = std::move(builder).Finish();
  for (const Passage& passage : CutPassages(document, 30, {})) EXPECT_LE(passage.tokens, 30U);
}

TEST(PassagesTest, AHeadingGoesWithTheTextBelowIt) {
  DocumentBuilder builder("html");
  builder.Paragraph("Preface.");
  builder.Heading(1, "Part");
  builder.Heading(2, "Chapter");
  builder.Paragraph("Text.");
  builder.Heading(2, "Empty chapter");
  builder.Heading(2, "Next");
  builder.Paragraph("More.");
  const Document document = std::move(builder).Finish();
  const std::vector<Passage> passages = CutPassages(document, 100, {});
  EXPECT_THAT(Texts(document, passages), ElementsAre("Preface.", "Part\n\nChapter\n\nText.",
                                                     "Empty chapter", "Next\n\nMore."));
  EXPECT_EQ(passages[0].section, kNoParent);
  EXPECT_EQ(passages[1].section, 1);
}

TEST(PassagesTest, AHeadingIsNotLeftAloneByAParagraphThatFillsTheBudget) {
  DocumentBuilder builder("html");
  builder.Heading(1, "Installing the package manager");
  builder.Paragraph("A sentence of some words. Another sentence of words. The third one.");
  const Document document = std::move(builder).Finish();
  EXPECT_THAT(Cut(document, 18),
              ElementsAre("Installing the package manager\n\nA sentence of some words.",
                          "Another sentence of words. The third one."));
  EXPECT_THAT(Cut(document, 8),
              ElementsAre("Installing the package manager\n\nA sentence of some words.",
                          "Another sentence of words.", "The third one."));
}

TEST(PassagesTest, NeverCrossesFromOneSectionIntoTheNext) {
  DocumentBuilder builder("html");
  builder.Heading(1, "A");
  builder.Paragraph("In a.");
  builder.Heading(2, "B");
  builder.Paragraph("In b.");
  builder.Heading(1, "C");
  builder.Paragraph("In c.");
  const Document document = std::move(builder).Finish();
  EXPECT_THAT(Cut(document, 1000), ElementsAre("A\n\nIn a.", "B\n\nIn b.", "C\n\nIn c."));
}

TEST(PassagesTest, CutsALongParagraphBetweenSentencesAndABlockOfLinesBetweenLines) {
  DocumentBuilder builder("html");
  builder.Paragraph("第一句话在这里。第二句话在这里。第三句。");
  builder.Line("a row | with cells");
  builder.Line("more rows | with cells");
  const Document document = std::move(builder).Finish();
  EXPECT_THAT(Cut(document, 9),
              ElementsAre("第一句话在这里。", "第二句话在这里。", "第三句。\n\na row | with cells",
                          "more rows | with cells"));
}

TEST(PassagesTest, AWrappedLineEndDoesNotEndASentenceOfSoftText) {
  Document document =
      TextDocument("A sentence that\nwas wrapped. Next\none.\n\nLast.", LineBreaks::kSoft);
  EXPECT_THAT(Cut(document, 7),
              ElementsAre("A sentence that\nwas wrapped.", "Next\none.\n\nLast."));
  document.line_breaks = LineBreaks::kHard;
  EXPECT_THAT(Cut(document, 5),
              ElementsAre("A sentence that", "was wrapped. Next", "one.\n\nLast."));
}

TEST(PassagesTest, IdeographicAndNoBreakSpacesAreWhiteSpaceToo) {
  const Document document = TextDocument("　　第一段。\n\n　\n\n\u00A0第二段。　");
  EXPECT_THAT(Cut(document, 4), ElementsAre("第一段。", "第二段。"));
}

TEST(PassagesTest, AnEndlessLineIsCutBetweenCharactersWithinTheBudget) {
  for (const std::string unit : {"x", "字", "é", "𠀀", "ab 字"}) {
    std::string text;
    while (text.size() < 5'000'000) text += unit;
    const Document document = TextDocument(text);
    const std::vector<Passage> passages = CutPassages(document, kPassageTokens, {});
    EXPECT_GT(passages.size(), 1000U);
    uint64_t end = 0;
    for (const Passage& passage : passages) {
      ASSERT_LE(passage.tokens, kPassageTokens) << unit;
      ASSERT_LE(passage.span.begin - end, 1U) << unit;
      ASSERT_EQ(FloorToCodePoint(text, passage.span.end), passage.span.end) << unit;
      end = passage.span.end;
    }
    EXPECT_GE(end + 1, text.size());
    // No passage is tiny: all but the last are at least half full.
    EXPECT_LE(passages.size(), 2 * EstimateTokens(text) / kPassageTokens + 1) << unit;
  }
}

TEST(PassagesTest, AnEndlessLineIsCutAtWhiteSpaceWhereThereIsSome) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "cell" + std::to_string(i) + " ";
  text.pop_back();
  const Document document = TextDocument(text);
  for (const std::string& passage : Cut(document, 50)) {
    EXPECT_EQ(passage.find("cell"), 0U) << passage;
  }
}

TEST(PassagesTest, TakesTimeInTheLengthOfTheTextWhateverTheSections) {
  // The text is a novel of 200,000 chapters of one line, without empty lines. Searching for one
  // from each chapter on would take minutes.
  Document document = TextDocument("");
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t begin = document.text.size();
    document.text += "x\ny\n";
    document.sections.push_back(
        {.title = "x", .level = 1, .parent = kNoParent, .span = {begin, begin + 4}});
  }
  EXPECT_EQ(CutPassages(document, kPassageTokens, {}).size(), document.sections.size());
}

TEST(PassagesTest, HoldsItsPromisesOnRandomDocuments) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    std::mt19937 random(seed);
    const Document document = RandomDocument(random);
    for (const uint64_t budget : {1U, 4U, 20U, 200U}) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", budget " << budget);
      CheckPassages(document, budget);
      if (HasFailure()) return;
    }
  }
}

TEST(PassagesTest, StopsWhenAsked) {
  DocumentBuilder builder("html");
  builder.Paragraph("x");
  const Document document = std::move(builder).Finish();
  std::stop_source source;
  source.request_stop();
  EXPECT_TRUE(Fails(Code::kCancelled, [&] {
    CutPassages(document, 10, {.stop = source.get_token(), .progress = {}});
  }));
}

TEST(SentencesOfSpanTest, AreTrimmedAndNeverEmpty) {
  SentenceSplitter splitter;
  const std::string text = "skipped  One.  Two?\n \n Three";
  std::vector<std::string> sentences;
  for (const TextSpan& span :
       Sentences(text, {.begin = 7, .end = text.size()}, LineBreaks::kHard, splitter)) {
    sentences.push_back(text.substr(span.begin, span.size()));
  }
  EXPECT_THAT(sentences, ElementsAre("One.", "Two?", "Three"));
}

}  // namespace
}  // namespace tome
