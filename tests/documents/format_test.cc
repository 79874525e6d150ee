#include "tome/documents/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/expect_error.h"

namespace tome {
namespace {

using testing::HasSubstr;

// Returns a ZIP's first local header with an entry of that name and content, which suffices for
// detection.
std::string Zip(const std::string& first_name, const std::string& content) {
  std::string bytes = "PK\x03\x04";
  bytes.resize(30, '\0');
  return bytes + first_name + content;
}

TEST(FormatTest, NamesAreThoseOfDocuments) {
  EXPECT_EQ(FormatName(Format::kText), "text");
  EXPECT_EQ(FormatName(Format::kMarkdown), "markdown");
  EXPECT_EQ(FormatName(Format::kHtml), "html");
  EXPECT_EQ(FormatName(Format::kPdf), "pdf");
  EXPECT_EQ(FormatName(Format::kEpub), "epub");
  EXPECT_EQ(FormatName(Format::kDocx), "docx");
  EXPECT_EQ(FormatName(Format::kOdt), "odt");
}

TEST(FormatTest, BytesDecideBeforeTheName) {
  EXPECT_EQ(DetectFormat("%PDF-1.7\n", "a.txt"), Format::kPdf);
  EXPECT_EQ(DetectFormat("a line before\n%PDF-1.7\n", "a"), Format::kPdf);
  EXPECT_EQ(DetectFormat(std::string(2000, 'x') + "%PDF-", "a"), Format::kText);
  EXPECT_EQ(DetectFormat(Zip("mimetype", "application/epub+zip"), "a.docx"), Format::kEpub);
  EXPECT_EQ(DetectFormat(Zip("mimetype", "application/vnd.oasis.opendocument.text"), "a"),
            Format::kOdt);
  EXPECT_EQ(DetectFormat(Zip("[Content_Types].xml", "…word/document.xml"), "a"), Format::kDocx);
  EXPECT_EQ(DetectFormat(Zip("x", "META-INF/container.xml"), "a"), Format::kEpub);
}

TEST(FormatTest, TheDirectoryAtTheEndOfAHugeZipIsEnough) {
  EXPECT_EQ(DetectFormat(Zip("x", std::string(3 << 20, 'x') + "word/document.xml"), "a"),
            Format::kDocx);
}

TEST(FormatTest, AZipOfUnknownContentIsTakenAtItsName) {
  EXPECT_EQ(DetectFormat(Zip("x", ""), "a.epub"), Format::kEpub);
  EXPECT_EQ(DetectFormat(Zip("x", ""), "a.DOCX"), Format::kDocx);
  EXPECT_EQ(DetectFormat(Zip("x", ""), "a.odt"), Format::kOdt);
  for (const char* name : {"a.zip", "a", "a.txt", "a.html"}) {
    EXPECT_TRUE(Fails(Code::kUnsupported, [&] { DetectFormat(Zip("x", ""), name); })) << name;
  }
  EXPECT_TRUE(Fails(Code::kUnsupported, [] { DetectFormat("PK\x03\x04", "a.zip"); }));
  EXPECT_TRUE(Fails(Code::kUnsupported, [] {
    DetectFormat(Zip("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), "a.ods");
  }));
}

TEST(FormatTest, TheExtensionDecidesBetweenTexts) {
  EXPECT_EQ(DetectFormat("# Title", "a.md"), Format::kMarkdown);
  EXPECT_EQ(DetectFormat("# Title", "A.MarkDown"), Format::kMarkdown);
  EXPECT_EQ(DetectFormat("plain", "a.html"), Format::kHtml);
  EXPECT_EQ(DetectFormat("plain", "a.htm"), Format::kHtml);
  EXPECT_EQ(DetectFormat("plain", "a.xhtml"), Format::kHtml);
  EXPECT_EQ(DetectFormat("# Title", "a.txt"), Format::kText);
  EXPECT_EQ(DetectFormat("# Title", "md"), Format::kText);
  EXPECT_EQ(DetectFormat("", "a"), Format::kText);
  EXPECT_EQ(DetectFormat("", "a.md"), Format::kMarkdown);
}

TEST(FormatTest, HtmlIsKnownByItsBeginning) {
  EXPECT_EQ(DetectFormat("<!DOCTYPE html><p>x", "a"), Format::kHtml);
  EXPECT_EQ(DetectFormat("\xEF\xBB\xBF \r\n<HTML lang=zh>", "a.txt"), Format::kHtml);
  EXPECT_EQ(DetectFormat("<?xml version='1.0'?>\n<html xmlns='x'>", "a"), Format::kHtml);
  EXPECT_EQ(DetectFormat("<?xml version='1.0'?>\n<feed/>", "a"), Format::kText);
  EXPECT_EQ(DetectFormat("write <html> first", "a"), Format::kText);
}

TEST(FormatTest, SaysWhatAForeignFileIs) {
  constexpr std::pair<std::string_view, std::string_view> kForeign[] = {
      {"\x89PNG\r\n\x1A\n", "PNG"},
      {"\xFF\xD8\xFF\xE0", "JPEG"},
      {"GIF89a", "GIF"},
      {"\x7F"
       "ELF\x02",
       "program"},
      {"\x1F\x8B\x08", "gzip"},
      {"BZh9", "bzip2"},
      {"\xFD"
       "7zXZ",
       "xz"},
      {"7z\xBC\xAF\x27\x1C", "7-Zip"},
      {"Rar!\x1A\x07", "RAR"},
      {"\xD0\xCF\x11\xE0\xA1", "old Office"},
      {"SQLite format 3", "SQLite"}};
  for (const auto& [magic, what] : kForeign) {
    // A file name does not make the file a document.
    for (const char* name : {"a", "a.txt", "a.md", "a.pdf"}) {
      const auto detect = [&] { DetectFormat(magic, name); };
      EXPECT_TRUE(Fails(Code::kUnsupported, detect)) << what << " " << name;
      EXPECT_THAT(ErrorText(detect), HasSubstr(std::string(what)));
    }
  }
}

TEST(FormatTest, AFileNamedLikeAFormatThatItIsNotIsCorrupt) {
  for (const char* name : {"a.pdf", "a.PDF", "a.epub", "a.docx", "a.odt"}) {
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { DetectFormat("hello", name); })) << name;
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { DetectFormat("", name); })) << name;
  }
}

}  // namespace
}  // namespace tome
