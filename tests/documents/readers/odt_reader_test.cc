#include "tome/documents/readers/odt_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/documents/readers/zip_writer.h"
#include "tome/base/error.h"
#include "tome/documents/limits.h"
#include "tome/documents/readers/flow_writer.h"

namespace tome {
namespace {

std::string ContentXml(std::string_view body) {
  return fmt::format(
      R"(<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="o" )"
      R"(xmlns:text="t" xmlns:table="tb" xmlns:draw="d"><office:body><office:text>{})"
      R"(</office:text></office:body></office:document-content>)",
      body);
}

Document ReadBody(std::string_view body, std::vector<ZipEntry> parts = {}) {
  parts.push_back({"content.xml", ContentXml(body)});
  Document document = ReadOdt(WriteZip(parts), {});
  CheckDocument(document);
  return document;
}

Error ErrorOf(std::string_view bytes) {
  try {
    ReadOdt(bytes, {});
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(Code::kInvalidArgument, "");
}

TEST(OdtReaderTest, ReadsHeadingsParagraphsAndTitle) {
  const Document document = ReadBody(
      R"(<text:h text:outline-level="1">第一章</text:h><text:p>正文 <text:span>加粗</text:span>。</text:p>
         <text:section><text:h text:outline-level="3">Deep</text:h></text:section>
         <text:h>Without level</text:h><text:p/><text:p>end</text:p>)",
      {{"meta.xml",
        R"(<office:document-meta xmlns:office="o" xmlns:dc="d"><office:meta><dc:title>书名)"
        R"(</dc:title></office:meta></office:document-meta>)"}});
  EXPECT_EQ(document.text, "第一章\n\n正文 加粗。\n\nDeep\n\nWithout level\n\nend");
  EXPECT_EQ(document.title, "书名");
  EXPECT_EQ(document.format, "odt");
  ASSERT_EQ(document.sections.size(), 3U);
  EXPECT_EQ(document.sections[1].level, 3);
  EXPECT_EQ(document.sections[2].level, 1);
}

TEST(OdtReaderTest, ReadsSpacesTabsAndLineBreaks) {
  const Document document = ReadBody(
      R"(<text:p>a<text:s text:c="999999999"/>b<text:tab/>c</text:p>
         <text:p>one<text:line-break/>two
           wrapped in the file</text:p>
         <text:p><text:span>x</text:span> <text:span>y</text:span></text:p>)");
  EXPECT_EQ(document.text, "a b c\n\none\ntwo wrapped in the file\n\nx y");
}

TEST(OdtReaderTest, ReadsLists) {
  const Document document = ReadBody(
      R"(<text:list><text:list-header><text:p>head</text:p></text:list-header>
         <text:list-item><text:p>one</text:p><text:p>more of one</text:p><text:list><text:list-item>
         <text:p>inner</text:p></text:list-item></text:list></text:list-item>
         <text:list-item><text:number>2.</text:number><text:p>two</text:p></text:list-item></text:list>
         <text:p>after</text:p>)");
  EXPECT_EQ(document.text, "head\n\n• one\n\nmore of one\n\n• inner\n\n2. two\n\nafter");
}

TEST(OdtReaderTest, ReadsTablesRowByRow) {
  const Document document = ReadBody(
      R"(<table:table><table:table-column/><table:table-header-rows><table:table-row>
           <table:table-cell><text:p>姓名</text:p></table:table-cell>
           <table:table-cell table:number-columns-repeated="2"><text:p>分</text:p></table:table-cell>
         </table:table-row></table:table-header-rows>
         <table:table-row><table:table-cell table:number-rows-spanned="2"><text:p>李</text:p></table:table-cell>
           <table:table-cell><text:p>1</text:p><text:p>2</text:p></table:table-cell>
           <table:table-cell table:number-columns-repeated="1000000000"/></table:table-row>
         <table:table-row><table:covered-table-cell><text:p>hidden</text:p></table:covered-table-cell>
           <table:table-cell><table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>
           <table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>
           </table:table-cell></table:table-row>
         <table:table-row table:number-rows-repeated="1000000000"><table:table-cell/></table:table-row>
         </table:table><text:p>after</text:p>)");
  EXPECT_EQ(document.text, "姓名 | 分 | 分\n李 | 1 2\n | a, b\n\nafter");
}

TEST(OdtReaderTest, ReadsATableOfOneCellAsText) {
  const Document document = ReadBody(
      R"(<table:table><table:table-column/><table:table-row><table:table-cell><text:h>H</text:h>
         <text:p>p</text:p></table:table-cell></table:table-row></table:table>)");
  EXPECT_EQ(document.text, "H\n\np");
  EXPECT_EQ(document.sections.size(), 1U);
}

TEST(OdtReaderTest, BoundsRepetition) {
  const Document document = ReadBody(
      R"(<table:table><table:table-row table:number-rows-repeated="2147483647">
         <table:table-cell table:number-columns-repeated="99999999999999999999"><text:p>x</text:p>
         </table:table-cell><table:table-cell><text:p>last</text:p></table:table-cell>
         </table:table-row></table:table>)");
  EXPECT_LE(document.text.size(), 2 * kMaxRepeatedBytes);
  EXPECT_EQ(document.text.find('\n'), kMaxTableColumns * 4 + 4);
}

TEST(OdtReaderTest, PutsNotesAfterTheParagraphThatCitesThem) {
  const std::string note =
      R"(<text:note text:note-class="footnote"><text:note-citation>*</text:note-citation><text:note-body>)"
      R"(<text:p>脚注</text:p><text:p>two<text:note><text:note-body><text:p>inner</text:p></text:note-body>)"
      R"(</text:note></text:p></text:note-body></text:note>)";
  const Document document = ReadBody("<text:p>A" + note + "B" + note + "</text:p><text:h>H" + note +
                                     "</text:h><text:p>C</text:p>");
  EXPECT_EQ(document.text, "A[1]B[2]\n\n[1] 脚注 two\n\n[2] 脚注 two\n\nH[3]\n\n[3] 脚注 two\n\nC");
  EXPECT_EQ(document.sections.at(0).title, "H");
}

TEST(OdtReaderTest, ReadsTextBoxesAfterTheirParagraph) {
  const Document document = ReadBody(
      R"(<text:p>anchor<draw:frame><svg:title>t</svg:title><draw:text-box><text:p>box</text:p>
         </draw:text-box><svg:desc>d</svg:desc></draw:frame> on</text:p>
         <draw:frame><draw:text-box><text:p>page box</text:p></draw:text-box></draw:frame>)");
  EXPECT_EQ(document.text, "anchor on\n\nbox\n\npage box");
}

TEST(OdtReaderTest, LeavesOutWhatIsNotTheText) {
  const Document document = ReadBody(
      R"(<text:tracked-changes><text:changed-region><text:deletion><text:p>deleted</text:p>
         </text:deletion></text:changed-region></text:tracked-changes>
         <text:table-of-content><text:index-body><text:p>Chapter 1 … 5</text:p></text:index-body>
         </text:table-of-content>
         <text:p>a<office:annotation><text:p>comment</text:p></office:annotation>b<text:script>code
         </text:script><text:ruby><text:ruby-base>汉</text:ruby-base><text:ruby-text>hàn</text:ruby-text>
         </text:ruby></text:p>)");
  EXPECT_EQ(document.text, "ab汉");
}

TEST(OdtReaderTest, NamesWhatIsWrong) {
  EXPECT_EQ(ErrorOf("not a zip").code(), Code::kCorrupt);
  EXPECT_STREQ(ErrorOf(WriteZip({{"x", "y"}})).what(), "the archive has no 'content.xml'");
  const Error empty = ErrorOf(WriteZip({{"content.xml", ContentXml("<text:p/>")}}));
  EXPECT_EQ(empty.code(), Code::kUnsupported);
  EXPECT_STREQ(empty.what(), "holds no text");
  const Error sheet = ErrorOf(WriteZip({{"content.xml", "<d><body><spreadsheet/></body></d>"}}));
  EXPECT_EQ(sheet.code(), Code::kUnsupported);
  EXPECT_EQ(ErrorOf(WriteZip({{"content.xml", "<a>"}})).code(), Code::kCorrupt);
}

TEST(OdtReaderTest, RefusesEncryptedFiles) {
  const Error error = ErrorOf(WriteZip(
      {{"META-INF/manifest.xml",
        R"(<manifest:manifest xmlns:manifest="m"><manifest:file-entry manifest:full-path="content.xml">)"
        R"(<manifest:encryption-data/></manifest:file-entry></manifest:manifest>)"},
       {"content.xml", "\x12\x34"}}));
  EXPECT_EQ(error.code(), Code::kUnsupported);
  EXPECT_NE(std::string(error.what()).find("is encrypted"), std::string::npos);
}

TEST(OdtReaderTest, RefusesAFileThatIsCutOffAnywhere) {
  const std::string zip = WriteZip({{"content.xml", ContentXml("<text:p>text</text:p>")}});
  for (size_t size = 0; size < zip.size(); size += 7) {
    EXPECT_EQ(ErrorOf(std::string_view(zip).substr(0, size)).code(), Code::kCorrupt) << size;
  }
}

TEST(OdtReaderTest, ReadsTheDeepestNestingAllowed) {
  const auto nested = [](std::string_view open, std::string_view close, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += open;
    out += "<text:p>t</text:p>";
    for (int i = 0; i < count; ++i) out += close;
    return out;
  };
  const int depth = kMaxElementDepth - 20;
  EXPECT_EQ(ReadBody(nested("<text:section>", "</text:section>", depth)).text, "t");
  EXPECT_EQ(
      ReadBody(nested("<text:list><text:list-item>", "</text:list-item></text:list>", depth / 2))
          .text,
      "• t");
  EXPECT_EQ(
      ReadBody(nested("<text:p><draw:text-box>", "</draw:text-box></text:p>", depth / 2)).text,
      "t");
  EXPECT_EQ(ReadBody(nested("<table:table><table:table-row><table:table-cell>",
                            "</table:table-cell></table:table-row></table:table>", depth / 3))
                .text,
            "t");
  EXPECT_EQ(
      ErrorOf(WriteZip({{"content.xml", ContentXml(nested("<a>", "</a>", 1'000'000))}})).code(),
      Code::kCorrupt);
}

}  // namespace
}  // namespace tome
