#include "tome/documents/readers/html_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/text/encode.h"
#include "tome/base/error.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

using testing::HasSubstr;
using testing::Not;

Document Read(std::string_view bytes) {
  Document document = ReadHtml(bytes, {});
  CheckDocument(document);
  return document;
}

std::string TextOf(std::string_view html) { return Read(html).text; }

void ExpectError(std::string_view bytes, Code code, std::string_view words,
                 const ReadOptions& options = {}) {
  try {
    ReadHtml(bytes, options);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(std::string(words)));
  }
}

std::string Repeat(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(HtmlReaderTest, HeadingsAreSections) {
  const Document document = Read(
      "<title> The\n Book </title><p>front<h1>One</h1><p>a<div><h2>Two <em>b</em><br>c</h2></div>"
      "<p>d<table><tr><td><h1>Three</h1>e</table>");
  EXPECT_EQ(document.format, "html");
  EXPECT_EQ(document.title, "The Book");
  EXPECT_EQ(document.text, "front\n\nOne\n\na\n\nTwo b c\n\nd\n\nThree\n\ne");
  ASSERT_EQ(document.sections.size(), 3U);
  EXPECT_EQ(document.sections[1].title, "Two b c");
  EXPECT_EQ(document.sections[1].level, 2);
  EXPECT_EQ(document.sections[1].parent, 0);
  EXPECT_EQ(document.sections[2].parent, kNoParent);
  EXPECT_EQ(Read("<h1>Only</h1>x").title, "Only");
}

TEST(HtmlReaderTest, BlocksLinesAndEntities) {
  EXPECT_EQ(TextOf("a <b>b</b>\n  c<p>d &lt; &#20013;&nbsp;e</p>f<div>g<div>h</div>i</div>"),
            "a b c\n\nd < 中 e\n\nf\n\ng\n\nh\n\ni");
  EXPECT_EQ(TextOf("<p>one<br>two <br/> three</p>four"), "one\ntwo\nthree\n\nfour");
  EXPECT_EQ(TextOf("one<br><br>two<br>\n<br>three"), "one\n\ntwo\n\nthree");
  EXPECT_EQ(TextOf("<blockquote><p>q</blockquote><hr><address>a</address>"), "q\n\na");
  EXPECT_EQ(TextOf("he said <q>yes</q> H<sub>2</sub>O<wbr>!"), "he said “yes” H2O!");
}

TEST(HtmlReaderTest, SourceLineEndsInsideChineseAreNoSpaces) {
  EXPECT_EQ(TextOf("<p>第一行，\n    第二<b>行</b>\n<i>第三</i>行\nabc\n中</p>"),
            "第一行，第二行第三行 abc 中");
  EXPECT_EQ(TextOf("他说\n“好”\n了。“\nA"), "他说“好”了。“ A");
  EXPECT_EQ(TextOf("中 文"), "中 文");
  EXPECT_EQ(TextOf("사람\n모두"), "사람 모두");
}

TEST(HtmlReaderTest, ListsNumberTheirItems) {
  EXPECT_EQ(TextOf("<ul><li>a<li><p>b</p><p>c</p></ul><ol start=3><li>d<li value=9>e<li>f</ol>"),
            "• a\n\n• b\n\nc\n\n3. d\n\n9. e\n\n10. f");
  EXPECT_EQ(TextOf("<ol><li>a<ul><li>b</ul><li>c</ol>"), "1. a\n\n• b\n\n2. c");
  EXPECT_EQ(TextOf("<ul><li></ul><p>x"), "x");
  EXPECT_EQ(TextOf("<dl><dt>term<dd>meaning</dl>"), "term\n\nmeaning");
}

TEST(HtmlReaderTest, TablesAreReadRowByRow) {
  EXPECT_EQ(TextOf("<p>x<table><caption>C</caption><tr><th>a<th>b<tr><td>1<td><p>2</p><p>3</p>"
                   "<tr><td>4<td></table>y"),
            "x\n\nC\n\na | b\n1 | 2 3\n4\n\ny");
  EXPECT_EQ(TextOf("<table><tr><td><td>b<td><td>d<td></table>"), " | b |  | d");
}

TEST(HtmlReaderTest, TablesForLayoutAreReadAsBlocks) {
  EXPECT_EQ(TextOf("<table><tr><td>a<td><table><tr><td>1<td>2</table></table>"), "a\n\n1 | 2");
  EXPECT_EQ(TextOf("<table><tr><td><p>a<p>b<tr><td>c</table>"), "a\n\nb\n\nc");
  EXPECT_EQ(TextOf("<table role=presentation><tr><td>a<td>b</table>"), "a\n\nb");
  EXPECT_EQ(TextOf("<table><tr><td>1<td><pre>x\ny</pre></table>"), "1\n\nx\ny");
}

TEST(HtmlReaderTest, PreformattedBlocksKeepTheirLines) {
  EXPECT_EQ(TextOf("<pre>\nint main() {\n  <b>return</b> 0;  \n\n}\n</pre>x"),
            "int main() {\n  return 0;\n}\n\nx");
  EXPECT_EQ(TextOf("<ul><li><pre>a<br>b<div>c</div></pre></ul>"), "• a\nb\nc");
}

TEST(HtmlReaderTest, AnImageSpeaksWhereNothingElseDoes) {
  EXPECT_EQ(TextOf("<p><img alt='A map'></p><p>see <img alt='x'></p><figure><img alt='i'>"
                   "<figcaption>cap</figcaption></figure>"),
            "A map\n\nsee\n\ni\n\ncap");
}

TEST(HtmlReaderTest, LeavesOutWhatIsNotVisibleText) {
  EXPECT_EQ(TextOf("a<script>s</script><style>t</style><template>u</template><noscript>v</noscript>"
                   "<svg><text>w</text></svg><button>x</button><select><option>y</select>"
                   "<textarea>z</textarea><p hidden>1</p><p aria-hidden=true>2</p>"
                   "<p style='color:red; Display : NONE'>3</p><!-- 4 --><iframe>5</iframe>b"
                   "<p hidden=until-found>c"),
            "ab\n\nc");
  EXPECT_EQ(TextOf("<body style='display:none'>shown by a script"), "shown by a script");
}

TEST(HtmlReaderTest, LeavesOutTheFrameOfAPage) {
  const char* page =
      "<header>site</header><nav>menu</nav><div role=navigation>m</div><div class='x toc'>t</div>"
      "<main><article><header>By me</header><h1>T<a class=headerlink>¶</a></h1>text<aside>note"
      "</aside><footer>end</footer></article></main><aside role=complementary>ad</aside>"
      "<footer>imprint</footer>";
  EXPECT_EQ(TextOf(page), "By me\n\nT\n\ntext\n\nnote\n\nend");
  EXPECT_EQ(TextOf("<header><nav>n</nav><h1>Title</h1></header>x"), "Title\n\nx");
}

TEST(HtmlReaderTest, AppendHtmlKeepsBoilerplateAndShiftsHeadingsWhereAsked) {
  DocumentBuilder builder("epub");
  const std::string title =
      AppendHtml("<title>T\n1</title><header>h</header><nav>n</nav><h1>One</h1>",
                 {.heading_offset = 2, .keep_boilerplate = true}, {}, builder);
  EXPECT_EQ(AppendHtml("<p>more", {}, {}, builder), "");
  const Document document = std::move(builder).Finish();
  CheckDocument(document);
  EXPECT_EQ(title, "T 1");
  EXPECT_EQ(document.text, "h\n\nn\n\nOne\n\nmore");
  EXPECT_EQ(document.sections.at(0).level, 3);
}

TEST(HtmlReaderTest, ReadsAdmonitionsOfDocBook) {
  EXPECT_EQ(TextOf("<div class=tip><table><tr><td><img alt='[Tip]'></td><th>Tip</th></tr><tr><td>"
                   "<p>Do it.</p><p>Now.</p></td></tr></table></div>"),
            "Tip: Do it.\n\nNow.");
  const Document document = Read("<h1>A</h1><div class=note><h3>Note</h3><p>x</p></div>");
  EXPECT_EQ(document.text, "A\n\nNote: x");
  EXPECT_EQ(document.sections.size(), 1U);
}

TEST(HtmlReaderTest, ReadsXhtml) {
  EXPECT_EQ(TextOf("<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head><title/>"
                   "<script src='a'/></head><body><p><a id='x'/>a<br/>b</p><p/><textarea/><div "
                   "title='a>b'/><![CDATA[1 < 2 & 3]]></body></html>"),
            "a\nb\n\n1 < 2 & 3");
}

TEST(HtmlReaderTest, TakesTheEncodingFromWhereverItIsSaid) {
  const std::string text = "今天天气很好。";
  const Document meta = Read(Encode("<meta charset=gb2312><p>" + text, "GB18030"));
  EXPECT_EQ(meta.text, text);
  EXPECT_EQ(meta.encoding, "GB18030");
  EXPECT_TRUE(meta.notes.empty());
  EXPECT_EQ(
      TextOf(Encode("<META content='text/html; charset = \"big5\"' http-equiv=x><p>漢字", "Big5")),
      "漢字");
  EXPECT_EQ(TextOf(Encode("<?xml version='1.0' encoding='EUC-JP'?><p>日本語", "EUC-JP")), "日本語");
  EXPECT_EQ(TextOf("\xFF\xFE" + Encode("<meta charset=gbk><p>" + text, "UTF-16LE")), text);
  EXPECT_EQ(Read("<p>" + text).encoding, "UTF-8");
  const Document guessed = Read(Encode("<p>" + text, "GB18030"));
  EXPECT_EQ(guessed.text, text);
  EXPECT_EQ(guessed.notes.size(), 1U);
  ReadOptions options;
  options.encoding = "gbk";
  EXPECT_EQ(ReadHtml(Encode("<meta charset=latin1><p>" + text, "GB18030"), options).text, text);
  options.encoding = "klingon";
  ExpectError("<p>x", Code::kInvalidArgument, "klingon", options);
}

TEST(HtmlReaderTest, ADeclarationThatIsWrongIsReported) {
  const Document document = Read("<meta charset=gb2312><p>他们已经改成了 UTF-8。");
  EXPECT_EQ(document.text, "他们已经改成了 UTF-8。");
  EXPECT_EQ(document.encoding, "UTF-8");
  ASSERT_EQ(document.notes.size(), 1U);
  EXPECT_EQ(document.notes[0], "the file declares GB18030 but is not in it");
}

TEST(HtmlReaderTest, RefusesPagesWithoutTextAndBinaryData) {
  ExpectError("", Code::kUnsupported, "holds no text");
  ExpectError("<title>t</title><p> </p><script>x</script>", Code::kUnsupported, "holds no text");
  ExpectError(std::string_view("<p>\0\x01", 5), Code::kUnsupported, "binary");
}

TEST(HtmlReaderTest, RefusesDeepNestingInLittleTime) {
  const auto begin = std::chrono::steady_clock::now();
  for (const char* tag : {"<div>", "<b>", "<ul><li>", "<blockquote><p>", "<span class=x>", "<svg>",
                          "<table><tr><td>", "<a><table><td>", "<dl><dd>"}) {
    ExpectError(Repeat(tag, 1'000'000), Code::kUnsupported, "more than 2000 deep");
  }
  ExpectError("<table>" + Repeat("<div>", 100'000), Code::kUnsupported, "deep");
  ExpectError(Repeat("<div>", 10'000) + "<frameset>", Code::kUnsupported, "deep");
  ExpectError("<?xml?>" + Repeat("<div>", 1'000'000), Code::kUnsupported, "deep");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
  const int depth = kMaxElementDepth - 10;
  EXPECT_EQ(TextOf(Repeat("<div>", static_cast<size_t>(depth)) + "x"), "x");
  ExpectError(Repeat("<div>", static_cast<size_t>(depth) + 20) + "x", Code::kUnsupported, "deep");
}

TEST(HtmlReaderTest, RefusesTreesOutOfProportion) {
  std::string page;
  for (int i = 0; i < 1900; ++i) page += "<p><b id=" + std::to_string(i) + ">";
  ExpectError(page, Code::kOutOfMemory, "too much memory");
}

TEST(HtmlReaderTest, RefusesPagesPastTheLimit) {
  ExpectError(std::string(kMaxHtmlBytes + 1, 'x'), Code::kUnsupported, "64 MiB");
  ExpectError(std::string(2 * kMaxHtmlBytes + 1, 'x'), Code::kUnsupported, "64 MiB");
}

TEST(HtmlReaderTest, ReadsManyOpenParagraphsAndItems) {
  EXPECT_EQ(Read(Repeat("<p>a", 100'000)).text.size(), 100'000U * 3 - 2);
  EXPECT_NO_THROW(Read("<table>" + Repeat("<tr><td>1<td>2", 50'000)));
  EXPECT_NO_THROW(Read("<ul>" + Repeat("<li>x", 50'000)));
}

TEST(HtmlReaderTest, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  ReadOptions options;
  options.control.stop = source.get_token();
  ExpectError("<p>x", Code::kCancelled, "", options);
}

TEST(HtmlReaderTest, ReadsARealBook) {
  const std::filesystem::path folder = "/usr/share/debian-reference";
  if (!std::filesystem::exists(folder / "ch01.en.html")) {
    const char* ci = std::getenv("CI");
    ASSERT_FALSE(ci != nullptr && std::string(ci) == "true")
        << "install debian-reference-en and debian-reference-zh-cn";
    GTEST_SKIP() << "debian-reference is not installed";
  }
  int pages = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("ch") || !name.ends_with(".html")) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const Document document = Read(std::string{std::istreambuf_iterator<char>(file), {}});
    ++pages;
    EXPECT_EQ(document.encoding, "UTF-8") << name;
    EXPECT_FALSE(document.title.empty()) << name;
    EXPECT_GT(document.sections.size(), 5U) << name;
    EXPECT_EQ(document.sections[0].span.begin, 0U) << name;  // no navigation before it
    EXPECT_EQ(document.sections[0].span.end, document.text.size()) << name;
    for (const char* noise : {"Table of Contents", "[Tip]", "Prev", "上一页"}) {
      EXPECT_THAT(document.text.substr(0, 200), Not(HasSubstr(noise))) << name;
    }
    if (name == "ch01.zh-cn.html") {
      EXPECT_THAT(document.text,
                  HasSubstr("因此子目录有父目录，并且一条路径显示了一个文件完整的祖先"));
      EXPECT_THAT(document.text, HasSubstr("\n/etc/ | 系统范围的配置文件\n"));
      EXPECT_THAT(document.text, HasSubstr("\nfoo login: penguin\nPassword:\n"));
      EXPECT_THAT(document.text, HasSubstr("\n\n• 文件名是 区分大小写 的。"));
    }
  }
  EXPECT_GE(pages, 12);
}

}  // namespace
}  // namespace tome
