#include "tome/documents/readers/epub_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/documents/readers/zip_writer.h"
#include "tome/base/error.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

using Strings = std::vector<std::string>;

std::string Xhtml(std::string_view body) {
  return fmt::format(
      R"(<?xml version="1.0" encoding="UTF-8"?><html xmlns="x"><head><title>t</title>)"
      R"(</head><body>{}</body></html>)",
      body);
}

// Book has its files in OEBPS/. The spine lists the chapters in the order given.
struct Book {
  std::vector<ZipEntry> chapters{};  // names relative to OEBPS/
  std::string nav{};                 // the <ol> of nav.xhtml
  std::string ncx{};                 // the <navPoint>s of toc.ncx
  std::string manifest{};            // further items
  std::string spine{};               // further itemrefs
  std::vector<ZipEntry> parts{};     // further entries

  std::string Bytes() const {
    std::string items = manifest;
    std::string refs;
    std::vector<ZipEntry> entries = parts;
    entries.push_back({"mimetype", "application/epub+zip"});
    entries.push_back({"META-INF/container.xml",
                       R"(<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles>)"
                       R"(</container>)"});
    for (size_t i = 0; i < chapters.size(); ++i) {
      items += fmt::format(R"(<item id="c{}" href="{}" media-type="application/xhtml+xml"/>)", i,
                           chapters[i].name);
      refs += fmt::format(R"(<itemref idref="c{}"/>)", i);
      entries.push_back({"OEBPS/" + chapters[i].name, chapters[i].content});
    }
    if (!nav.empty()) {
      items += R"(<item id="nav" href="nav.xhtml" properties="scripted nav" )"
               R"(media-type="application/xhtml+xml"/>)";
      refs += R"(<itemref idref="nav"/>)";
      entries.push_back(
          {"OEBPS/nav.xhtml",
           Xhtml(R"(<nav epub:type="landmarks"><ol><li><a href="1.xhtml">Cover</a></li></ol></nav>)"
                 R"(<nav epub:type="toc"><h1>Contents</h1>)" +
                 nav + "</nav>")});
    }
    if (!ncx.empty()) {
      items += R"(<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>)";
      entries.push_back({"OEBPS/toc.ncx", "<ncx><navMap>" + ncx + "</navMap></ncx>"});
    }
    entries.push_back(
        {"OEBPS/book.opf",
         fmt::format(R"(<package xmlns:dc="d"><metadata><dc:title>红楼梦</dc:title></metadata>)"
                     R"(<manifest>{}</manifest><spine toc="ncx">{}{}</spine></package>)",
                     items, refs, spine)});
    return WriteZip(entries);
  }
};

Document Read(const Book& book) {
  Document document = ReadEpub(book.Bytes(), {});
  CheckDocument(document);
  return document;
}

Error ErrorOf(std::string_view bytes) {
  try {
    ReadEpub(bytes, {});
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(Code::kInvalidArgument, "");
}

// Returns for each section "path to the title: first line of its text".
Strings Sections(const Document& document) {
  Strings out;
  for (size_t i = 0; i < document.sections.size(); ++i) {
    const TextSpan& span = document.sections[i].span;
    std::string text = document.text.substr(span.begin, span.size());
    text.resize(std::min(text.size(), text.find('\n')));
    out.push_back(SectionPath(document.sections, static_cast<int64_t>(i)) + ": " + text);
  }
  return out;
}

TEST(EpubReaderTest, ReadsChaptersInTheOrderOfTheSpine) {
  const Document document =
      Read({.chapters = {{"2.xhtml", Xhtml("<h1>第一回</h1><p>甄士隐</p>")},
                         {"1.xhtml", Xhtml("<h1>第二回</h1><p>贾夫人</p>")}}});
  EXPECT_EQ(document.text, "第一回\n\n甄士隐\n\n第二回\n\n贾夫人");
  EXPECT_EQ(document.title, "红楼梦");
  EXPECT_EQ(document.format, "epub");
  EXPECT_TRUE(document.notes.empty());
  EXPECT_EQ(Sections(document), (Strings{"第一回: 第一回", "第二回: 第二回"}));
}

TEST(EpubReaderTest, OpensSectionsForChaptersWithoutHeading) {
  const Document document =
      Read({.chapters = {{"1.xhtml", Xhtml("<p>one</p>")}, {"2.xhtml", Xhtml("<p>two</p>")}},
            .nav = R"(<ol><li><a href="1.xhtml">Chapter 1</a></li>)"
                   R"(<li><a href="2.xhtml">Chapter  2</a></li></ol>)"});
  EXPECT_EQ(document.text, "one\n\ntwo");
  EXPECT_EQ(Sections(document), (Strings{"Chapter 1: one", "Chapter 2: two"}));
}

TEST(EpubReaderTest, DoesNotRepeatAHeadingThatTheContentsName) {
  const Document document =
      Read({.chapters = {{"1.xhtml", Xhtml("<h2>Chapter  ONE</h2><p>one</p><h3>Sub</h3><p>s</p>")},
                         {"2.xhtml", Xhtml("<p class='title'>第二章　重逢</p><p>two</p>")},
                         {"3.xhtml", Xhtml("<h1>III</h1><p>three</p>")}},
            .nav = R"(<ol><li><a href="1.xhtml">Chapter One</a></li>)"
                   R"(<li><a href="2.xhtml#top">第二章 重逢</a></li>)"
                   R"(<li><a href="3.xhtml">Chapter Three</a></li></ol>)"});
  EXPECT_EQ(Sections(document), (Strings{"Chapter ONE: Chapter ONE", "Chapter ONE > Sub: Sub",
                                         "第二章 重逢: 第二章 重逢", "III: III"}));
}

TEST(EpubReaderTest, NestsChaptersAsTheContentsDo) {
  const std::string nav =
      R"(<ol><li><span>Part One</span><ol><li><a href="1.xhtml">First</a></li>)"
      R"(<li><a href="2.xhtml">Second</a></li></ol></li>)"
      R"(<li><a href="p2.xhtml">Part Two</a><ol><li><a href="3.xhtml">Third</a></li></ol></li></ol>)";
  const Document document = Read(
      {.chapters = {{"1.xhtml", Xhtml("<h1>First</h1><p>a</p><h2>In first</h2><p>b</p>")},
                    {"2.xhtml", Xhtml("<p>no heading</p><p>c</p><p>d</p><h1>Late heading</h1>")},
                    {"p2.xhtml", Xhtml("<img src='part2.png'/>")},
                    {"3.xhtml", Xhtml("<h1>Third</h1><p>d</p>")}},
       .nav = nav});
  EXPECT_EQ(Sections(document),
            (Strings{"Part One: First", "Part One > First: First",
                     "Part One > First > In first: In first", "Part One > Second: no heading",
                     "Part One > Second > Late heading: Late heading", "Part Two: Third",
                     "Part Two > Third: Third"}));
}

TEST(EpubReaderTest, FindsSectionsInsideAPartByTheirTitles) {
  const Document document = Read(
      {.chapters = {{"all.xhtml", Xhtml("<p>序</p><p>第一章</p><p>甲</p><p>第二章</p><p>乙</p>")}},
       .nav = R"(<ol><li><a href="all.xhtml#a">第一章</a></li><li><a href="all.xhtml#b">第二章</a>)"
              R"(</li><li><a href="all.xhtml#c">Not there</a></li></ol>)"});
  EXPECT_EQ(Sections(document), (Strings{"第一章: 第一章", "第二章: 第二章"}));
}

TEST(EpubReaderTest, ReadsTheContentsOfEpub2) {
  const std::string ncx =
      R"(<navPoint><navLabel><text>卷一</text></navLabel><content src="1.xhtml"/>)"
      R"(<navPoint><navLabel><text>第一章</text></navLabel><content src="2%20b.xhtml#x"/></navPoint>)"
      R"(</navPoint>)";
  const Document document =
      Read({.chapters = {{"1.xhtml", Xhtml("<p>一</p>")}, {"2 b.xhtml", Xhtml("<p>二</p>")}},
            .ncx = ncx});
  EXPECT_EQ(Sections(document), (Strings{"卷一: 一", "卷一 > 第一章: 二"}));
}

TEST(EpubReaderTest, ResolvesHrefsInsideTheBookOnly) {
  const Document document = Read(
      {.chapters = {{"text/a%20b%E4%B8%AD.xhtml", "unused"}, {"1.xhtml", Xhtml("<p>one</p>")}},
       .nav =
           R"(<ol><li><a href="../../../etc/passwd">Out</a></li><li><a href="http://x/">Web</a></li>)"
           R"(<li><a href="../OEBPS/./1.xhtml">In</a></li></ol>)",
       .manifest = R"(<item id="out" href="../../etc/passwd" media-type="application/xhtml+xml"/>)"
                   R"(<item id="web" href="http://x/y.xhtml" media-type="application/xhtml+xml"/>)",
       .spine = R"(<itemref idref="out"/><itemref idref="web"/>)",
       .parts = {{"OEBPS/text/a b中.xhtml", Xhtml("<p>decoded</p>")},
                 {"../../etc/passwd", Xhtml("<p>root</p>")}}});
  EXPECT_EQ(document.text, "decoded\n\none");
  EXPECT_EQ(Sections(document), (Strings{"In: one"}));
  EXPECT_EQ(
      document.notes,
      (std::vector<Note>{"the part '../../etc/passwd' lies outside of the book and was left out",
                         "the part 'http://x/y.xhtml' lies outside of the book and was left out"}));
}

TEST(EpubReaderTest, NotesWhatIsMissingFromTheSpine) {
  const Document document =
      Read({.chapters = {{"1.xhtml", Xhtml("<p>one</p>")}},
            .manifest = R"(<item id="gone" href="gone.xhtml" media-type="application/xhtml+xml"/>)"
                        R"(<item id="pic" href="p.svg" media-type="image/svg+xml"/>)"
                        R"(<item id="f" href="f.pdf" media-type="application/pdf" fallback="c0"/>)",
            .spine = R"(<itemref idref="gone"/><itemref idref="nowhere"/><itemref idref="pic"/>)"
                     R"(<itemref idref="f"/><itemref idref="c0"/>)"});
  EXPECT_EQ(document.text, "one");
  EXPECT_EQ(document.notes,
            (std::vector<Note>{"the part 'OEBPS/gone.xhtml' is missing from the file",
                               "the book's manifest lacks the part 'nowhere'",
                               "the part 'p.svg' is image/svg+xml, not text, and was left out"}));
}

TEST(EpubReaderTest, NotesABrokenTableOfContents) {
  Book book{.chapters = {{"1.xhtml", Xhtml("<h1>One</h1>")}}, .ncx = "<navPoint>"};
  const Document document = Read(book);
  EXPECT_EQ(document.text, "One");
  ASSERT_EQ(document.notes.size(), 1U);
  EXPECT_NE(document.notes[0].text.find("the table of contents was left out: OEBPS/toc.ncx"),
            std::string::npos);
}

std::string Encryption(std::string_view algorithm, std::string_view uri) {
  return fmt::format(
      R"(<encryption xmlns:enc="e"><enc:EncryptedData><enc:EncryptionMethod Algorithm="{}"/>)"
      R"(<enc:CipherData><enc:CipherReference URI="{}"/></enc:CipherData></enc:EncryptedData>)"
      R"(</encryption>)",
      algorithm, uri);
}

TEST(EpubReaderTest, RefusesProtectedBooksButNotObfuscatedFonts) {
  Book book{.chapters = {{"1.xhtml", Xhtml("<p>one</p>")}}};
  const std::string aes = "http://www.w3.org/2001/04/xmlenc#aes128-cbc";
  book.parts = {{"META-INF/encryption.xml", Encryption(aes, "OEBPS/1.xhtml")}};
  const Error error = ErrorOf(book.Bytes());
  EXPECT_EQ(error.code(), Code::kUnsupported);
  EXPECT_STREQ(error.what(), "is protected (DRM)");
  book.parts = {{"META-INF/encryption.xml",
                 Encryption("http://www.idpf.org/2008/embedding", "OEBPS/font.otf")}};
  EXPECT_EQ(Read(book).text, "one");
  book.parts = {{"META-INF/encryption.xml", Encryption(aes, "OEBPS/image.png")}};
  EXPECT_EQ(Read(book).text, "one");
}

TEST(EpubReaderTest, ConvertsLegacyEncodings) {
  const std::string gbk = "\xD6\xD0\xCE\xC4";  // 中文
  const auto page = [&](std::string_view declaration, std::string_view meta) {
    std::string text;
    for (int i = 0; i < 20; ++i) text += gbk;
    return fmt::format("{}<html><head>{}</head><body><p>{}</p></body></html>", declaration, meta,
                       text);
  };
  const Document document =
      Read({.chapters = {{"1.xhtml", page(R"(<?xml version="1.0" encoding="gb2312"?>)", "")},
                         {"2.xhtml", page("", R"(<meta charset="gbk"/>)")},
                         {"3.xhtml", Xhtml("<p>já</p>")},
                         {"4.xhtml",
                          "\xFF\xFE<\0p\0>\0-N\x87"
                          "e<\0/\0p\0>\0"}}});
  std::string expected;
  for (int i = 0; i < 20; ++i) expected += "中文";
  EXPECT_TRUE(document.text.starts_with(expected + "\n\n" + expected + "\n\njá")) << document.text;
}

TEST(EpubReaderTest, NamesWhatIsWrong) {
  EXPECT_EQ(ErrorOf("not a zip").code(), Code::kCorrupt);
  EXPECT_STREQ(ErrorOf(WriteZip({{"x", "y"}})).what(),
               "the archive has no 'META-INF/container.xml'");
  EXPECT_EQ(ErrorOf(WriteZip({{"META-INF/container.xml", "<container/>"}})).code(), Code::kCorrupt);
  EXPECT_EQ(
      ErrorOf(WriteZip({{"META-INF/container.xml", "<c><rootfile full-path='../x'/></c>"}})).code(),
      Code::kCorrupt);
  const Error empty = ErrorOf(Book{.chapters = {{"1.xhtml", Xhtml("<p> </p>")}}}.Bytes());
  EXPECT_EQ(empty.code(), Code::kUnsupported);
  EXPECT_STREQ(empty.what(), "holds no text");
}

TEST(EpubReaderTest, RefusesAFileThatIsCutOffAnywhere) {
  const std::string zip = Book{.chapters = {{"1.xhtml", Xhtml("<p>one</p>")}}}.Bytes();
  for (size_t size = 0; size < zip.size(); size += 13) {
    EXPECT_EQ(ErrorOf(std::string_view(zip).substr(0, size)).code(), Code::kCorrupt) << size;
  }
}

TEST(EpubReaderTest, ExpandsNoEntitiesInTheContents) {
  Book book{.chapters = {{"1.xhtml", Xhtml("<p>one</p>")}},
            .nav = R"(<ol><li><a href="1.xhtml">&bomb;</a></li></ol>)"};
  EXPECT_EQ(Sections(Read(book)), (Strings{"&bomb;: one"}));
}

TEST(EpubReaderTest, ReadsTheDeepestContentsAllowed) {
  std::string nav;
  const int depth = kMaxElementDepth / 2 - 10;
  for (int i = 0; i < depth; ++i) nav += "<ol><li>";
  nav += R"(<a href="1.xhtml">deep</a>)";
  for (int i = 0; i < depth; ++i) nav += "</li></ol>";
  const Document document = Read({.chapters = {{"1.xhtml", Xhtml("<p>one</p>")}}, .nav = nav});
  ASSERT_EQ(document.sections.size(), 1U);
  EXPECT_EQ(document.sections[0].level, depth);
}

}  // namespace
}  // namespace tome
