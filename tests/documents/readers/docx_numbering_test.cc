#include "tome/documents/readers/docx_numbering.h"

#include <gtest/gtest.h>

#include "tome/documents/readers/xml.h"

namespace tome {
namespace {

TEST(FormatListNumberTest, WritesEachFormat) {
  EXPECT_EQ(FormatListNumber("decimal", 12), "12");
  EXPECT_EQ(FormatListNumber("decimalZero", 7), "07");
  EXPECT_EQ(FormatListNumber("upperRoman", 1994), "MCMXCIV");
  EXPECT_EQ(FormatListNumber("lowerRoman", 4), "iv");
  EXPECT_EQ(FormatListNumber("upperLetter", 26), "Z");
  EXPECT_EQ(FormatListNumber("lowerLetter", 28), "bb");
  EXPECT_EQ(FormatListNumber("chineseCounting", 10), "十");
  EXPECT_EQ(FormatListNumber("chineseCountingThousand", 15), "十五");
  EXPECT_EQ(FormatListNumber("chineseCountingThousand", 20), "二十");
  EXPECT_EQ(FormatListNumber("chineseCountingThousand", 103), "一百零三");
  EXPECT_EQ(FormatListNumber("chineseCountingThousand", 110), "一百一十");
  EXPECT_EQ(FormatListNumber("chineseCountingThousand", 2300), "二千三百");
  EXPECT_EQ(FormatListNumber("chineseCountingThousand", 2003), "二千零三");
  EXPECT_EQ(FormatListNumber("chineseLegalSimplified", 12), "壹拾贰");
  EXPECT_EQ(FormatListNumber("ideographTraditional", 2), "乙");
  EXPECT_EQ(FormatListNumber("ideographZodiac", 12), "亥");
  EXPECT_EQ(FormatListNumber("decimalEnclosedCircle", 3), "③");
}

TEST(FormatListNumberTest, WritesDecimalWhereAFormatCannot) {
  EXPECT_EQ(FormatListNumber("upperRoman", 0), "0");
  EXPECT_EQ(FormatListNumber("upperRoman", 1'000'000), "1000000");
  EXPECT_EQ(FormatListNumber("upperLetter", 1'000'000), "1000000");
  EXPECT_EQ(FormatListNumber("chineseCounting", 10'000), "10000");
  EXPECT_EQ(FormatListNumber("ideographTraditional", 11), "11");
  EXPECT_EQ(FormatListNumber("nonsense", -3), "-3");
}

TEST(DocxNumberingTest, BoundsWhatTheFileSays) {
  const auto tree = ParseXml(
      R"(<numbering><abstractNum abstractNumId="0"><lvl ilvl="99999999999">
         <start val="99999999999999"/><numFmt val="decimal"/><lvlText val="%1%9%0%"/></lvl></abstractNum>
         <num numId="1"><abstractNumId val="0"/></num><num numId="2"><abstractNumId val="9"/></num>
         </numbering>)",
      "numbering.xml");
  DocxNumbering numbering(tree.document_element());
  EXPECT_EQ(numbering.NextLabel({.list_id = "1", .level = 8}), "11000000%0% ");
  EXPECT_EQ(numbering.NextLabel({.list_id = "2", .level = 0}), "• ");
}

}  // namespace
}  // namespace tome
