#include "tome/documents/document_builder.h"

#include <gtest/gtest.h>

#include <random>

#include "tome/base/error.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

std::string TextOf(const Document& document, const TextSpan& span) {
  return document.text.substr(span.begin, span.size());
}

TEST(DocumentBuilderTest, SeparatesBlocksByOneEmptyLine) {
  DocumentBuilder builder("html");
  builder.Paragraph(" one \n two ");
  builder.Line("a | b");
  builder.Line("c | d  ");
  builder.Paragraph("  ");
  builder.Paragraph("three");
  const Document document = std::move(builder).Finish();
  EXPECT_EQ(document.text, "one two\n\na | b\nc | d\n\nthree");
  EXPECT_EQ(document.format, "html");
}

TEST(DocumentBuilderTest, NestsSectionsByLevel) {
  DocumentBuilder builder("html");
  builder.Paragraph("preface");
  builder.Heading(1, "One");
  builder.Paragraph("in one");
  builder.Heading(3, "Deep");
  builder.Paragraph("in deep");
  builder.Heading(2, "Less deep");
  builder.Heading(1, "Two");
  builder.Paragraph("in two");
  const Document document = std::move(builder).Finish();
  CheckDocument(document);
  ASSERT_EQ(document.sections.size(), 4U);
  EXPECT_EQ(TextOf(document, document.sections[0].span),
            "One\n\nin one\n\nDeep\n\nin deep\n\nLess deep");
  EXPECT_EQ(TextOf(document, document.sections[1].span), "Deep\n\nin deep");
  EXPECT_EQ(document.sections[2].parent, 0);
  EXPECT_EQ(document.sections[3].parent, kNoParent);
  EXPECT_EQ(SectionPath(document.sections, 1), "One > Deep");
  EXPECT_EQ(SectionAt(document.sections, 0), kNoParent);
  EXPECT_EQ(SectionAt(document.sections, document.text.find("in deep")), 1);
  EXPECT_EQ(SectionAt(document.sections, document.text.find("in two")), 3);
}

TEST(DocumentBuilderTest, CountsPagesWithoutText) {
  DocumentBuilder builder("pdf");
  builder.BeginPage("i");
  builder.Paragraph("first");
  builder.BeginPage("ii");
  builder.BeginPage("iii");
  builder.Paragraph("third, which runs");
  builder.BeginPage("iv");
  builder.ContinueParagraph("on", " ");
  const Document document = std::move(builder).Finish();
  CheckDocument(document);
  EXPECT_EQ(document.text, "first\n\nthird, which runs on");
  ASSERT_EQ(document.pages.size(), 4U);
  EXPECT_EQ(document.pages[2].label, "iii");
  EXPECT_EQ(PageAt(document.pages, 0), 1);
  EXPECT_EQ(PageAt(document.pages, document.text.find("third")), 3);
  EXPECT_EQ(PageAt(document.pages, document.text.find("on", 20)), 4);
}

TEST(DocumentBuilderTest, RefusesTextPastTheLimit) {
  DocumentBuilder builder("text");
  const std::string line(size_t{32} << 20, 'x');
  EXPECT_THROW(
      {
        for (uint64_t i = 0; i <= kMaxTextBytes / line.size(); ++i) builder.Line(line);
      },
      Error);
}

TEST(DocumentBuilderTest, KeepsEveryPromiseUnderRandomCalls) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    DocumentBuilder builder("html");
    const auto text = [&] {
      static constexpr const char* kTexts[] = {"",          " ",        "a",  "中文\n 句子",
                                               "e\xCC\x81", "\xFF\x01", "x y"};
      return std::string(kTexts[random() % std::size(kTexts)]);
    };
    const auto calls = random() % 40;
    for (uint64_t i = 0; i < calls; ++i) {
      switch (random() % 7) {
        case 0:
          builder.Heading(static_cast<int>(random() % 5), text());
          break;
        case 1:
          builder.BeginSection(static_cast<int>(random() % 5), text());
          break;
        case 2:
          builder.Paragraph(text());
          break;
        case 3:
          builder.Line(text());
          break;
        case 4:
          builder.BeginPage(text());
          break;
        case 5:
          builder.ContinueParagraph(text(), "");
          break;
        default:
          builder.EndBlock();
          break;
      }
    }
    const Document document = std::move(builder).Finish();
    EXPECT_NO_THROW(CheckDocument(document)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tome
