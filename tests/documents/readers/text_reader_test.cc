#include "tome/documents/readers/text_reader.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/text/encode.h"
#include "tome/base/error.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

ReadOptions In(std::string_view encoding) {
  ReadOptions options;
  options.encoding = encoding;
  return options;
}

Document Read(std::string_view bytes, const ReadOptions& options = {}) {
  Document document = ReadText(bytes, options);
  CheckDocument(document);
  return document;
}

void ExpectError(std::string_view bytes, Code code, std::string_view words,
                 const ReadOptions& options = {}) {
  try {
    ReadText(bytes, options);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string_view(error.what()).find(words), std::string_view::npos) << error.what();
  }
}

TEST(TextReaderTest, TidiesLinesAndKeepsIndentation) {
  const Document document = Read(
      "\n \n  one  \r\ntwo\t\n\n\n \n　　三　\n\xEF\xBB\xBF"
      "e\xCC\x81\n\n");
  EXPECT_EQ(document.text, "  one\ntwo\n\n　　三\n\xC3\xA9");
  EXPECT_EQ(document.format, "text");
  EXPECT_EQ(document.encoding, "UTF-8");
  EXPECT_EQ(document.title, "");
  EXPECT_TRUE(document.notes.empty());
}

TEST(TextReaderTest, ReadsWhatABomAnnounces) {
  EXPECT_EQ(Read("\xEF\xBB\xBF中文").text, "中文");
  const Document document = Read("\xFF\xFE" + Encode("中文\nab", "UTF-16LE"));
  EXPECT_EQ(document.text, "中文\nab");
  EXPECT_EQ(document.encoding, "UTF-16LE");
  EXPECT_TRUE(document.notes.empty());
}

TEST(TextReaderTest, ReportsAGuessedEncoding) {
  const Document document = Read(Encode("今天天气很好，他们都去公园了。", "GB18030"));
  EXPECT_EQ(document.text, "今天天气很好，他们都去公园了。");
  EXPECT_EQ(document.encoding, "GB18030");
  ASSERT_EQ(document.notes.size(), 1U);
  EXPECT_EQ(document.notes[0],
            Note("the encoding is a guess: GB18030", {Advice::Name(Setting::kEncoding)}));
}

TEST(TextReaderTest, ObeysTheEncodingOption) {
  const std::string big5 = Encode("漢字", "Big5");
  const Document document = Read(big5, In("big5"));
  EXPECT_EQ(document.text, "漢字");
  EXPECT_EQ(document.encoding, "Big5");
  EXPECT_TRUE(document.notes.empty());
  EXPECT_EQ(Read("caf\xE9", In("latin1")).text, "café");
  ExpectError("x", Code::kInvalidArgument, "unknown encoding 'klingon'", In("klingon"));
}

TEST(TextReaderTest, SaysWhatCouldNotBeRead) {
  const Document utf8 = Read("abc \xFF", In("UTF-8"));
  EXPECT_EQ(utf8.text, "abc \xEF\xBF\xBD");
  ASSERT_EQ(utf8.notes.size(), 1U);
  const Document gbk = Read("abc \xD6", In("gbk"));
  ASSERT_EQ(gbk.notes.size(), 1U);
  EXPECT_NE(gbk.notes[0].text.find("1 characters could not be read as GB18030"), std::string::npos);
}

TEST(TextReaderTest, RefusesBinaryDataAndEmptyFiles) {
  ExpectError(std::string_view("ab\0cd", 5), Code::kUnsupported, "binary data, not text");
  ExpectError("\x01\x02\x03\x04 abc", Code::kUnsupported, "binary data, not text");
  std::string wide = "\xFF\xFE";
  for (int i = 1; i < 60; ++i) wide += {static_cast<char>(i % 9), '\0'};
  ExpectError(wide, Code::kUnsupported, "binary data, not text");
  for (const char* bytes : {"", " \n\t\r\n", "\xEF\xBB\xBF", "\xE3\x80\x80\n"}) {
    ExpectError(bytes, Code::kUnsupported, "holds no text");
  }
}

TEST(TextReaderTest, RefusesTextPastTheLimit) {
  std::string bytes(kMaxTextBytes + 1, 'x');
  ExpectError(bytes, Code::kOutOfMemory, "256 MiB");
  bytes.back() = '\n';
  EXPECT_EQ(Read(bytes).text.size(), kMaxTextBytes);
}

TEST(TextReaderTest, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  ReadOptions options;
  options.control.stop = source.get_token();
  ExpectError("text", Code::kCancelled, "", options);
}

// Texts are normalized in pieces, which must not show in the result.
TEST(TextReaderTest, ReadsALongLineAsAWhole) {
  std::string line;
  std::string expected;
  while (line.size() < (size_t{100} << 20)) {
    line += "e\xCC\x81 汉字か\xE3\x82\x99  x";
    expected += "\xC3\xA9 汉字が  x";
  }
  // EXPECT_EQ would print both texts.
  EXPECT_TRUE(Read(line).text == expected);
}

TEST(TextReaderTest, TidyingTwiceChangesNothing) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    static constexpr const char* kParts[] = {"\n", "\r\n",   " ",  "a",   "中",
                                             "\t", "\n\n\n", "。", "\xFF"};
    std::string bytes = "start";
    const auto parts = random() % 60;
    for (uint64_t i = 0; i < parts; ++i) bytes += kParts[random() % std::size(kParts)];
    const std::string once = Read(bytes, In("UTF-8")).text;
    EXPECT_EQ(Read(once, In("UTF-8")).text, once) << "seed " << seed;
    EXPECT_EQ(once.find("\n\n\n"), std::string::npos) << "seed " << seed;
    EXPECT_EQ(once.find(" \n"), std::string::npos) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tome
