#include "tome/documents/readers/docx_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <stop_token>

#include "tests/documents/readers/zip_writer.h"
#include "tome/base/error.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

std::string DocumentXml(std::string_view body) {
  return fmt::format(R"(<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="urn:w" )"
                     R"(xmlns:mc="urn:mc"><w:body>{}<w:sectPr/></w:body></w:document>)",
                     body);
}

std::string P(std::string_view text, std::string_view properties = "") {
  return fmt::format(R"(<w:p><w:pPr>{}</w:pPr><w:r><w:t xml:space="preserve">{}</w:t></w:r></w:p>)",
                     properties, text);
}

std::string Styled(std::string_view style, std::string_view text) {
  return P(text, fmt::format(R"(<w:pStyle w:val="{}"/>)", style));
}

Document Read(std::vector<ZipEntry> parts) { return ReadDocx(WriteZip(parts), {}); }

// Reads a document with this body and further parts.
Document ReadBody(std::string_view body, std::vector<ZipEntry> parts = {}) {
  parts.push_back({"word/document.xml", DocumentXml(body)});
  Document document = Read(std::move(parts));
  CheckDocument(document);
  return document;
}

Error ErrorOf(std::string_view bytes) {
  try {
    ReadDocx(bytes, {});
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(Code::kInvalidArgument, "");
}

// Returns "title@level" for each section.
std::vector<std::string> Sections(const Document& document) {
  std::vector<std::string> out;
  for (const Section& section : document.sections) {
    out.push_back(fmt::format("{}@{}", section.title, section.level));
  }
  return out;
}

using Strings = std::vector<std::string>;

TEST(DocxReaderTest, ReadsParagraphsAndTitle) {
  const Document document =
      ReadBody(P("第一段。") + P("  ") + P("Second  one.") + "<w:p/>",
               {{"docProps/core.xml", R"(<cp:coreProperties xmlns:cp="c" xmlns:dc="d">)"
                                      R"(<dc:title>测试 文档</dc:title></cp:coreProperties>)"}});
  EXPECT_EQ(document.text, "第一段。\n\nSecond one.");
  EXPECT_EQ(document.title, "测试 文档");
  EXPECT_EQ(document.format, "docx");
  EXPECT_TRUE(document.pages.empty());
}

TEST(DocxReaderTest, TellsHeadingsByStyle) {
  const std::string styles = R"(<w:styles xmlns:w="urn:w">
    <w:style w:type="paragraph" w:styleId="1"><w:name w:val="heading 1"/></w:style>
    <w:style w:type="paragraph" w:styleId="a3"><w:name w:val="Title"/></w:style>
    <w:style w:type="paragraph" w:styleId="b"><w:name w:val="标题 2"/></w:style>
    <w:style w:type="paragraph" w:styleId="c"><w:name w:val="My Clause"/><w:pPr>
      <w:outlineLvl w:val="2"/></w:pPr></w:style>
    <w:style w:type="paragraph" w:styleId="d"><w:name w:val="Derived"/><w:basedOn w:val="c"/></w:style>
    <w:style w:type="paragraph" w:styleId="e"><w:name w:val="Body again"/><w:basedOn w:val="c"/><w:pPr>
      <w:outlineLvl w:val="9"/></w:pPr></w:style>
    <w:style w:type="paragraph" w:styleId="f"><w:basedOn w:val="g"/></w:style>
    <w:style w:type="paragraph" w:styleId="g"><w:basedOn w:val="f"/></w:style>
    </w:styles>)";
  const Document document =
      ReadBody(Styled("a3", "书名") + Styled("1", "One") + Styled("b", "Two") +
                   Styled("c", "Three") + Styled("d", "Again three") + Styled("e", "body") +
                   Styled("f", "loop") + Styled("unknown", "plain") + Styled("Heading4", "By id"),
               {{"word/styles.xml", styles}});
  EXPECT_EQ(Sections(document),
            (Strings{"书名@1", "One@1", "Two@2", "Three@3", "Again three@3", "By id@4"}));
  EXPECT_TRUE(document.text.ends_with("Again three\n\nbody\n\nloop\n\nplain\n\nBy id"));
}

TEST(DocxReaderTest, DirectOutlineLevelWinsOverTheStyle) {
  const Document document =
      ReadBody(P("A", R"(<w:outlineLvl w:val="0"/>)") +
               P("B", R"(<w:pStyle w:val="Heading1"/><w:outlineLvl w:val="1"/>)") +
               P("C", R"(<w:pStyle w:val="Heading1"/><w:outlineLvl w:val="9"/>)") +
               P("D", R"(<w:outlineLvl w:val="-5"/>)") + P("E", R"(<w:outlineLvl w:val="x"/>)"));
  EXPECT_EQ(Sections(document), (Strings{"A@1", "B@2", "D@1"}));
}

TEST(DocxReaderTest, ReadsInlineElements) {
  const Document document = ReadBody(
      R"(<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t>)"
      R"(<w:noBreakHyphen/><w:t>c</w:t><w:softHyphen/><w:t>d</w:t><w:sym w:font="Wingdings" w:char="F0E0"/></w:r>)"
      R"(<w:hyperlink r:id="r1"><w:r><w:t xml:space="preserve"> link</w:t></w:r></w:hyperlink>)"
      R"(<w:r><w:br w:type="page"/><w:t>next</w:t></w:r>)"
      R"(<w:fldSimple w:instr="PAGE"><w:r><w:t>7</w:t></w:r></w:fldSimple>)"
      R"(<w:r><w:instrText>HYPERLINK x</w:instrText></w:r>)"
      R"(<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>)"
      R"(<w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>shown</w:t></w:r>)"
      R"(<w:r><w:ruby><w:rt><w:r><w:t>hàn</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>汉</w:t></w:r></w:rubyBase></w:ruby></w:r>)"
      "</w:p>");
  EXPECT_EQ(document.text, "a b-cd link next7shown汉");
}

TEST(DocxReaderTest, KeepsLineBreaks) {
  const Document document = ReadBody(
      "<w:p><w:r><w:t>床前明月光，</w:t><w:br/><w:t>疑是地上霜。</w:t><w:cr/><w:br/>"
      "<w:t>end</w:t></w:r></w:p>" +
      P("after"));
  EXPECT_EQ(document.text, "床前明月光，\n疑是地上霜。\nend\n\nafter");
}

TEST(DocxReaderTest, TakesTrackedChangesAsAccepted) {
  const Document document = ReadBody(
      "<w:p><w:r><w:t>a</w:t></w:r><w:ins><w:r><w:t>b</w:t></w:r></w:ins>"
      "<w:del><w:r><w:delText>c</w:delText><w:t>c</w:t></w:r></w:del>"
      "<w:moveFrom><w:r><w:t>d</w:t></w:r></w:moveFrom>"
      "<w:moveTo><w:r><w:t>e</w:t></w:r></w:moveTo></w:p>"
      "<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc></w:tr>"
      "<w:tr><w:tc><w:p><w:r><w:t>y</w:t></w:r></w:p></w:tc></w:tr></w:tbl>");
  EXPECT_EQ(document.text, "abe\n\ny");
}

TEST(DocxReaderTest, ReadsContentControlsAndLeavesOutTheTableOfContents) {
  const Document document = ReadBody(
      "<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val=\"Table of Contents\"/></w:docPartObj>"
      "</w:sdtPr><w:sdtContent>" +
      P("Contents 1") + "</w:sdtContent></w:sdt><w:sdt><w:sdtPr/><w:sdtContent>" + P("kept") +
      "</w:sdtContent></w:sdt><w:p><w:sdt><w:sdtContent><w:r><w:t>inline</w:t></w:r>"
      "</w:sdtContent></w:sdt></w:p>" +
      Styled("TOC1", "Chapter 1 … 5"));
  EXPECT_EQ(document.text, "kept\n\ninline");
}

TEST(DocxReaderTest, ReadsOneBranchOfATextBox) {
  const std::string box = "<w:txbxContent>" + P("in the box") + "</w:txbxContent>";
  const Document document = ReadBody(
      "<w:p><w:r><w:t>anchor</w:t></"
      "w:r><w:r><mc:AlternateContent><mc:Choice><w:drawing><wp:posOffset>"
      "42</wp:posOffset>" +
      box + "</w:drawing></mc:Choice><mc:Fallback><w:pict>" + box +
      "</w:pict></mc:Fallback></mc:AlternateContent></w:r><w:r><w:t> on</w:t></w:r></w:p>" +
      P("next"));
  EXPECT_EQ(document.text, "anchor on\n\nin the box\n\nnext");
}

std::string Cell(std::string_view content, std::string_view properties = "") {
  return fmt::format("<w:tc><w:tcPr>{}</w:tcPr>{}</w:tc>", properties, content);
}

std::string Row(const Strings& cells) {
  return fmt::format("<w:tr>{}</w:tr>", fmt::join(cells, ""));
}

TEST(DocxReaderTest, ReadsTablesRowByRow) {
  const Document document = ReadBody(
      P("before") + "<w:tbl><w:tblPr/>" + Row({Cell(P("姓名")), Cell(P("年龄")), Cell("<w:p/>")}) +
      Row({Cell(P("李")), Cell(P("4") + P("2")), Cell(P("x"))}) + Row({Cell("<w:p/>")}) +
      Row({Cell("<w:p/>"), Cell(P("8")), Cell("<w:p/>")}) + "</w:tbl>" + P("after"));
  EXPECT_EQ(document.text, "before\n\n姓名 | 年龄\n李 | 4 2 | x\n | 8\n\nafter");
}

TEST(DocxReaderTest, ReadsMergedAndNestedCells) {
  const std::string inner = "<w:tbl>" + Row({Cell(P("i1")), Cell(P("i2"))}) +
                            Row({Cell(P("i3")), Cell(P("i4"))}) + "</w:tbl>";
  const Document document = ReadBody(
      "<w:tbl>" + Row({Cell(P("top"), R"(<w:vMerge w:val="restart"/>)"), Cell(P("b"))}) +
      Row({Cell(P("covered"), "<w:vMerge/>"), Cell(P("c") + inner + P("d"))}) + "</w:tbl>");
  EXPECT_EQ(document.text, "top | b\n | c i1, i2; i3, i4 d");
}

TEST(DocxReaderTest, ReadsATableOfOneCellAsText) {
  const Document document =
      ReadBody("<w:tbl>" + Row({Cell(Styled("Heading1", "H") + P("one") + P("two"))}) + "</w:tbl>");
  EXPECT_EQ(document.text, "H\n\none\n\ntwo");
  EXPECT_EQ(Sections(document), (Strings{"H@1"}));
}

constexpr std::string_view kFootnotes = R"(<w:footnotes xmlns:w="urn:w">
  <w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:t>line</w:t></w:r></w:p></w:footnote>
  <w:footnote w:id="2"><w:p><w:r><w:footnoteRef/><w:t xml:space="preserve"> 脚注一</w:t></w:r></w:p>
    <w:p><w:r><w:t>more</w:t></w:r></w:p></w:footnote>
  <w:footnote w:id="3"><w:p><w:r><w:t>second</w:t><w:footnoteReference w:id="3"/></w:r></w:p></w:footnote>
  </w:footnotes>)";

std::string Ref(std::string_view kind, int id) {
  return fmt::format(R"(<w:r><w:{}Reference w:id="{}"/></w:r>)", kind, id);
}

TEST(DocxReaderTest, PutsNotesAfterTheParagraphThatCitesThem) {
  const Document document = ReadBody(
      "<w:p><w:r><w:t>A</w:t></w:r>" + Ref("footnote", 2) + "<w:r><w:t>B</w:t></w:r>" +
          Ref("endnote", 2) + Ref("footnote", 99) + "</w:p><w:p><w:r><w:t>C</w:t></w:r>" +
          Ref("footnote", 3) + Ref("footnote", 2) + "</w:p>",
      {{"word/footnotes.xml", std::string(kFootnotes)},
       {"word/endnotes.xml", R"(<w:endnotes xmlns:w="urn:w"><w:endnote w:id="2"><w:p><w:r><w:t>end)"
                             R"(</w:t></w:r></w:p></w:endnote></w:endnotes>)"}});
  EXPECT_EQ(document.text, "A[1]B[2]\n\n[1] 脚注一 more\n\n[2] end\n\nC[3][1]\n\n[3] second");
}

TEST(DocxReaderTest, KeepsNoteMarksOutOfTitlesAndNotesOutOfTables) {
  const Document document =
      ReadBody(R"(<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Head</w:t></w:r>)" +
                   Ref("footnote", 2) + "</w:p><w:tbl>" +
                   Row({Cell("<w:p><w:r><w:t>c</w:t></w:r>" + Ref("footnote", 3) + "</w:p>"),
                        Cell(P("d"))}) +
                   "</w:tbl>",
               {{"word/footnotes.xml", std::string(kFootnotes)}});
  EXPECT_EQ(document.text, "Head[1]\n\n[1] 脚注一 more\n\nc[2] | d\n\n[2] second");
  EXPECT_EQ(Sections(document), (Strings{"Head@1"}));
}

constexpr std::string_view kNumbering = R"xml(<w:numbering xmlns:w="urn:w">
  <w:abstractNum w:abstractNumId="0">
    <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCountingThousand"/><w:lvlText w:val="第%1条"/></w:lvl>
    <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="(%2)"/></w:lvl>
  </w:abstractNum>
  <w:abstractNum w:abstractNumId="1">
    <w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>
    <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl>
    <w:lvl w:ilvl="2"><w:numFmt w:val="bullet"/><w:lvlText w:val="&#xF0B7;"/></w:lvl>
    <w:lvl w:ilvl="3"><w:numFmt w:val="none"/></w:lvl>
  </w:abstractNum>
  <w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>
  <w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>
  <w:num w:numId="3"><w:abstractNumId w:val="1"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>
  </w:numbering>)xml";

std::string Item(int list, int level, std::string_view text, std::string_view style = "") {
  return P(text, fmt::format(R"({}<w:numPr><w:ilvl w:val="{}"/><w:numId w:val="{}"/></w:numPr>)",
                             style, level, list));
}

TEST(DocxReaderTest, CountsTheLabelsOfLists) {
  const Document document =
      ReadBody(Item(1, 0, "总则") + Item(1, 1, "x") + Item(1, 1, "y") + Item(1, 0, "分则") +
                   Item(1, 1, "z") + Item(2, 0, "three") + Item(2, 1, "a") + Item(2, 2, "dot") +
                   Item(2, 3, "bare") + Item(2, 0, "four") + Item(3, 0, "one") + Item(3, 0, "two") +
                   Item(0, 0, "none") + Item(77, 0, "unknown"),
               {{"word/numbering.xml", std::string(kNumbering)}});
  EXPECT_EQ(
      document.text,
      "第一条 总则\n\n(1) x\n\n(2) y\n\n第二条 分则\n\n(1) z\n\n3. three\n\n3.a) a\n\n• dot\n\nbare"
      "\n\n4. four\n\n1. one\n\n2. two\n\nnone\n\n• unknown");
}

TEST(DocxReaderTest, NumbersHeadingsByTheListOfTheirStyle) {
  const std::string styles = R"(<w:styles xmlns:w="urn:w">
    <w:style w:styleId="h"><w:name w:val="heading 1"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>
    </w:styles>)";
  const Document document =
      ReadBody(Styled("h", "总则") + Styled("h", "附则"),
               {{"word/numbering.xml", std::string(kNumbering)}, {"word/styles.xml", styles}});
  EXPECT_EQ(Sections(document), (Strings{"第一条 总则@1", "第二条 附则@1"}));
}

TEST(DocxReaderTest, FollowsRelationshipsToTheParts) {
  const auto relationships = [](const std::vector<std::pair<std::string, std::string>>& targets) {
    std::string out = "<Relationships>";
    for (const auto& [type, target] : targets) {
      out += fmt::format(R"(<Relationship Type="http://x/{}" Target="{}"/>)", type, target);
    }
    return out + "</Relationships>";
  };
  const Document document =
      Read({{"_rels/.rels", relationships({{"officeDocument", "/main/文%20档.xml"}})},
            {"main/文 档.xml", DocumentXml(Styled("s", "H"))},
            {"main/_rels/文 档.xml.rels",
             relationships({{"styles", "../../../etc/passwd"}, {"styles", "../s.xml"}})},
            {"s.xml", R"(<styles><style styleId="s"><name val="heading 2"/></style></styles>)"}});
  EXPECT_EQ(Sections(document), (Strings{"H@2"}));
}

TEST(DocxReaderTest, RefusesWhatHoldsNoText) {
  const Error error = ErrorOf(WriteZip({{"word/document.xml", DocumentXml("<w:p/>")}}));
  EXPECT_EQ(error.code(), Code::kUnsupported);
  EXPECT_STREQ(error.what(), "holds no text");
}

TEST(DocxReaderTest, NamesWhatIsWrong) {
  EXPECT_EQ(ErrorOf("not a zip").code(), Code::kCorrupt);
  EXPECT_EQ(ErrorOf("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 password").code(), Code::kUnsupported);
  const Error missing = ErrorOf(WriteZip({{"mimetype", "x"}}));
  EXPECT_EQ(missing.code(), Code::kCorrupt);
  EXPECT_STREQ(missing.what(), "the archive has no 'word/document.xml'");
  const Error broken = ErrorOf(WriteZip({{"word/document.xml", "<a><b></a>"}}));
  EXPECT_EQ(broken.code(), Code::kCorrupt);
  EXPECT_NE(std::string(broken.what()).find("word/document.xml"), std::string::npos);
}

TEST(DocxReaderTest, RefusesAFileThatIsCutOffAnywhere) {
  const std::string zip = WriteZip({{"word/document.xml", DocumentXml(P("text"))}});
  for (size_t size = 0; size < zip.size(); size += 7) {
    EXPECT_EQ(ErrorOf(std::string_view(zip).substr(0, size)).code(), Code::kCorrupt) << size;
  }
}

TEST(DocxReaderTest, ExpandsNoEntities) {
  const std::string xml = R"(<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">
    <!ENTITY f SYSTEM "file:///etc/passwd">]>)" +
                          DocumentXml(P("&b;&f;")).substr(38);
  EXPECT_EQ(Read({{"word/document.xml", xml}}).text, "&b;&f;");
}

std::string Nested(std::string_view open, std::string_view close, int count,
                   std::string_view inside) {
  std::string out;
  for (int i = 0; i < count; ++i) out += open;
  out += inside;
  for (int i = 0; i < count; ++i) out += close;
  return out;
}

TEST(DocxReaderTest, ReadsTheDeepestNestingAllowed) {
  const int depth = kMaxElementDepth - 20;
  EXPECT_EQ(
      ReadBody("<w:p>" + Nested("<w:ins>", "</w:ins>", depth, "<w:r><w:t>t</w:t></w:r>") + "</w:p>")
          .text,
      "t");
  EXPECT_EQ(ReadBody(Nested("<w:p><w:r><w:txbxContent>", "</w:txbxContent></w:r></w:p>", depth / 3,
                            P("t")))
                .text,
            "t");
  EXPECT_EQ(
      ReadBody(Nested("<w:tbl><w:tr><w:tc/><w:tc>", "</w:tc></w:tr></w:tbl>", depth / 3, P("t")))
          .text.size(),
      Nested(", ", "", depth / 3, "t").size() + 1);
  const Error error = ErrorOf(
      WriteZip({{"word/document.xml", DocumentXml(Nested("<w:p>", "</w:p>", 1'000'000, ""))}}));
  EXPECT_EQ(error.code(), Code::kCorrupt);
}

TEST(DocxReaderTest, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  ReadOptions options;
  options.control.stop = source.get_token();
  EXPECT_THROW(ReadDocx(WriteZip({{"word/document.xml", DocumentXml(P("text"))}}), options), Error);
}

}  // namespace
}  // namespace tome
