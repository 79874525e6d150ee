#include "tome/documents/readers/chapter_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Titles(std::string_view text, LineBreaks line_breaks = LineBreaks::kHard) {
  std::vector<std::string> titles;
  Document document;
  document.text = text;
  document.sections = FindChapters(text, line_breaks);
  CheckDocument(document);
  for (const Section& section : document.sections) {
    titles.push_back(std::to_string(section.level) + " " + section.title);
  }
  return titles;
}

TEST(ChapterLinesTest, KnowsEnglishHeadings) {
  EXPECT_THAT(Titles("PART ONE\n\nx\n\nPrologue\n\nx\n\nCHAPTER I. MR. SHERLOCK HOLMES\n\nx\n\n"
                     "Chapter 2\nx\n\nChapter Three: The Storm\n\nx\n\nBook the Second—Gold\n\n"
                     "Chapter 4 The Well\n\nSection 2.\nx\n\nEPILOGUE"),
              ElementsAre("1 PART ONE", "2 Prologue", "2 CHAPTER I. MR. SHERLOCK HOLMES",
                          "2 Chapter 2", "2 Chapter Three: The Storm", "1 Book the Second—Gold",
                          "2 Chapter 4 The Well", "3 Section 2.", "2 EPILOGUE"));
}

TEST(ChapterLinesTest, KnowsChineseHeadings) {
  EXPECT_THAT(Titles("第一卷\n序章\nx\n第十二回 "
                     "王熙凤毒设相思局\nx\n第3章　你是谁？\nx\n　　第４章：归来\nx\n第二部 "
                     "归途\n第一章大闹天宫\n第一节 绪论\n第三部分\n楔子\nx\n后记\n尾聲"),
              ElementsAre("1 第一卷", "2 序章", "2 第十二回 王熙凤毒设相思局", "2 第3章 你是谁？",
                          "2 第４章：归来", "1 第二部 归途", "2 第一章大闹天宫", "3 第一节 绪论",
                          "1 第三部分", "2 楔子", "2 后记", "2 尾聲"));
}

TEST(ChapterLinesTest, SentencesAreNoHeadings) {
  for (const char* line :
       {"第一章里他说……。", "第一章里他说了很多", "第二部电影很好看", "第一回见到他，很高兴",
        "后记里写道", "第", "第一", "第章", "Chapter 4 was the best of all", "chapter 4",
        "Part of the plan", "Chapter", "Prologue to a war", "Book One was lost,",
        "Chapter 4 ends here.", "Part I had forgotten", "Chapter 12345", "Section mild"}) {
    EXPECT_THAT(Titles(line), IsEmpty()) << line;
  }
  EXPECT_THAT(Titles("Chapter 4. " + std::string(60, 'x')), IsEmpty());
  EXPECT_THAT(Titles(std::string(100'000, ' ') + "Chapter 4"), IsEmpty());
}

TEST(ChapterLinesTest, InWrappedTextAHeadingBeginsABlock) {
  const char* text = "the end, as was told in\nChapter 4\n\nChapter 5\nand so on";
  EXPECT_THAT(Titles(text, LineBreaks::kSoft), ElementsAre("2 Chapter 5"));
  EXPECT_THAT(Titles("BOOK I\nChapter 1\nx", LineBreaks::kSoft),
              ElementsAre("1 BOOK I", "2 Chapter 1"));
}

TEST(ChapterLinesTest, LeavesOutATableOfContents) {
  EXPECT_THAT(Titles("Contents\n\nChapter 1. A\nChapter 2. B\nEpilogue\n\nChapter 1. A\n\nx\n\n"
                     "Chapter 2. B\n\nx\n\nEpilogue\n\nx"),
              ElementsAre("2 Chapter 1. A", "2 Chapter 2. B", "2 Epilogue"));
  EXPECT_THAT(Titles("第一章\n第二章\n第三章"), ElementsAre("2 第一章", "2 第二章", "2 第三章"));
  EXPECT_THAT(Titles("BOOK I\n\nPART I\n\nCHAPTER I\n\nx\n\nPART II\n\nCHAPTER I\n\nx"),
              ElementsAre("1 BOOK I", "1 PART I", "2 CHAPTER I", "1 PART II", "2 CHAPTER I"));
}

TEST(ChapterLinesTest, NestsSpans) {
  const std::string text = "front\n\n第一卷\n\n第一章\n\n文一\n\n第二章\n\n文二\n\n第二卷\n\n文三";
  const std::vector<Section> sections = FindChapters(text, LineBreaks::kHard);
  ASSERT_EQ(sections.size(), 4U);
  const auto span = [&](size_t i) {
    return text.substr(sections[i].span.begin, sections[i].span.size());
  };
  EXPECT_EQ(span(0), "第一卷\n\n第一章\n\n文一\n\n第二章\n\n文二");
  EXPECT_EQ(span(1), "第一章\n\n文一");
  EXPECT_EQ(span(3), "第二卷\n\n文三");
  EXPECT_EQ(sections[2].parent, 0);
  EXPECT_EQ(sections[3].parent, kNoParent);
}

}  // namespace
}  // namespace tome
