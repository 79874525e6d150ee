#include "tome/documents/readers/markdown_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/text/encode.h"
#include "tome/base/error.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

using testing::HasSubstr;

Document Read(std::string_view bytes) {
  Document document = ReadMarkdown(bytes, {});
  CheckDocument(document);
  return document;
}

std::string TextOf(std::string_view markdown) { return Read(markdown).text; }

void ExpectError(std::string_view bytes, Code code, std::string_view words) {
  try {
    ReadMarkdown(bytes, {});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(std::string(words)));
  }
}

TEST(MarkdownReaderTest, ReadsHeadingsParagraphsAndCode) {
  const Document document = Read(
      "Sub\n---\n\n# One *two*\n\na\nb\\\nc [link](u) <b>d</b>\n\n```c\nint  x;\n\ny;\n```\n> q\n");
  EXPECT_EQ(document.format, "markdown");
  EXPECT_EQ(document.encoding, "UTF-8");
  EXPECT_EQ(document.title, "One two");
  EXPECT_EQ(document.text, "Sub\n\nOne two\n\na b\nc link d\n\nint  x;\ny;\n\nq");
  ASSERT_EQ(document.sections.size(), 2U);
  EXPECT_EQ(document.sections[0].level, 2);
}

TEST(MarkdownReaderTest, ReadsGitHubsExtensions) {
  EXPECT_EQ(TextOf("| a | b |\n|---|---|\n| 1 | ~~2~~ |\n"), "a | b\n1 | 2");
  EXPECT_EQ(TextOf("- [x] done\n- [ ] open\n\n3. c\n4. d\n"),
            "• [x] done\n\n• [ ] open\n\n3. c\n\n4. d");
  EXPECT_EQ(TextOf("see www.example.org\n"), "see www.example.org");
  EXPECT_EQ(TextOf("fact[^n].\n\n[^n]: The note.\n"), "fact[1].\n\n1. The note.");
}

TEST(MarkdownReaderTest, SoftBreaksInsideChineseAreNoSpaces) {
  EXPECT_EQ(TextOf("第一行，\n第二行\nabc\n中"), "第一行，第二行 abc 中");
}

TEST(MarkdownReaderTest, FrontMatterGivesTheTitle) {
  const Document document = Read("---\ntitle: My notes\ndate: 2024-01-01\n---\n# One\n");
  EXPECT_EQ(document.title, "My notes");
  EXPECT_EQ(document.text, "One");
  EXPECT_EQ(Read("---\n\ntext\n\n---\n").text, "text");
  EXPECT_EQ(Read("text").title, "");
}

TEST(MarkdownReaderTest, RawHtmlNeverSwallowsText) {
  EXPECT_EQ(TextOf("Use List<String> and <title> or\n<select> here.\n\nNext.\n"),
            "Use List<String> and <title> or <select> here.\n\nNext.");
  EXPECT_EQ(TextOf("<title>\n\nNext.\n"), "<title>\n\nNext.");
  EXPECT_EQ(
      TextOf("<details>\n<summary>More</summary>\n\ninside\n\n</details>\n\n<nav>kept</nav>\n"),
      "More\n\ninside\n\nkept");
  EXPECT_EQ(TextOf("<script>\nvar x;\n</script>\n\ntext<br>line\n"), "text\nline");
}

TEST(MarkdownReaderTest, DecodesAsTextIs) {
  const Document document = Read(Encode("# 标题\n\n今天天气很好。\n", "GB18030"));
  EXPECT_EQ(document.text, "标题\n\n今天天气很好。");
  EXPECT_EQ(document.encoding, "GB18030");
  EXPECT_EQ(document.notes.size(), 1U);
}

TEST(MarkdownReaderTest, RefusesWhatItCannotRead) {
  ExpectError("", Code::kUnsupported, "holds no text");
  ExpectError("---\ntitle: x\n---\n", Code::kUnsupported, "holds no text");
  ExpectError(std::string_view("a\0b", 3), Code::kUnsupported, "binary");
  ExpectError(std::string(kMaxHtmlBytes + 1, 'x'), Code::kUnsupported, "64 MiB");
  ExpectError(std::string(100'000, '>') + "x", Code::kUnsupported, "deep");
}

}  // namespace
}  // namespace tome
