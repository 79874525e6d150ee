#include "tome/documents/readers/xml.h"

#include <gtest/gtest.h>

#include "tome/base/error.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

Code CodeOf(std::string_view xml) {
  try {
    ParseXml(xml, "part.xml");
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("part.xml"), std::string::npos) << error.what();
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return Code::kInvalidArgument;
}

std::string Repeat(std::string_view text, int count) {
  std::string out;
  out.reserve(text.size() * static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

TEST(XmlTest, ComparesNamesWithoutPrefix) {
  const auto tree = ParseXml(R"(<w:a xmlns:w="urn:w"><x:b x:c="1"/><b c="2">t</b></w:a>)", "p");
  const pugi::xml_node root = tree.document_element();
  EXPECT_EQ(LocalName(root), "a");
  EXPECT_EQ(Attribute(Child(root, "b"), "c"), "1");
  EXPECT_TRUE(HasAttribute(Child(root, "b"), "c"));
  EXPECT_FALSE(HasAttribute(Child(root, "b"), "d"));
  EXPECT_EQ(Attribute(Child(root, "nothing"), "c"), "");
  EXPECT_EQ(TextContent(root), "t");
  EXPECT_EQ(Attribute(FindDescendant(root, "b"), "c"), "1");
  EXPECT_FALSE(FindDescendant(Child(root, "b"), "a"));
}

TEST(XmlTest, KeepsWhiteSpaceBetweenElements) {
  const auto tree = ParseXml("<p><s>a</s> <s>b</s></p>", "p");
  EXPECT_EQ(TextContent(tree.document_element()), "a b");
}

TEST(XmlTest, ReadsUtf16) {
  const std::u16string text = u"\uFEFF<?xml version=\"1.0\" encoding=\"UTF-16\"?><p>中文</p>";
  const std::string_view bytes(reinterpret_cast<const char*>(text.data()), text.size() * 2);
  EXPECT_EQ(TextContent(ParseXml(bytes, "p").document_element()), "中文");
}

TEST(XmlTest, NamesPartAndOffsetOfBrokenXml) {
  try {
    ParseXml("<a><b></a>", "word/document.xml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCorrupt);
    EXPECT_EQ(std::string(error.what()).find("word/document.xml: not well-formed XML at byte 8"),
              0U)
        << error.what();
  }
  for (const char* xml : {"", "   ", "text", "<a>", "<a", "<a b=c/>", "</a>", "<!DOCTYPE a ["}) {
    EXPECT_EQ(CodeOf(xml), Code::kCorrupt) << xml;
  }
}

TEST(XmlTest, ExpandsNoEntities) {
  const auto bomb = ParseXml(
      R"(<!DOCTYPE a [<!ENTITY x "lol"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;&x;&x;">
         <!ENTITY z "&y;&y;&y;&y;&y;&y;&y;&y;&y;&y;">]><a>&z;&amp;&#x4E2D;</a>)",
      "p");
  EXPECT_EQ(TextContent(bomb.document_element()), "&z;&中");
  const auto external =
      ParseXml(R"(<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a b="&f;">&f;</a>)", "p");
  EXPECT_EQ(TextContent(external.document_element()), "&f;");
  EXPECT_EQ(Attribute(external.document_element(), "b"), "&f;");
}

TEST(XmlTest, RefusesDeepNestingWithoutRecursion) {
  const int limit = kMaxElementDepth - 1;
  EXPECT_NO_THROW(ParseXml(Repeat("<a>", limit) + Repeat("</a>", limit), "p"));
  EXPECT_EQ(CodeOf(Repeat("<a>", limit + 2) + Repeat("</a>", limit + 2)), Code::kCorrupt);
  constexpr int kMillion = 1'000'000;
  EXPECT_EQ(CodeOf(Repeat("<a>", kMillion) + Repeat("</a>", kMillion)), Code::kCorrupt);
  EXPECT_EQ(CodeOf(Repeat("<a>", kMillion)), Code::kCorrupt);  // never closed
  EXPECT_EQ(CodeOf("<!DOCTYPE a " + Repeat("[<!ELEMENT a ", kMillion)), Code::kCorrupt);
}

TEST(XmlTest, RefusesATreeThatWouldNotFit) {
  const auto elements = static_cast<int>(kMaxXmlTreeBytes / 128);
  EXPECT_EQ(CodeOf(Repeat("<a/>", elements)), Code::kOutOfMemory);
}

TEST(XmlTest, ParsesNumbersWithinBounds) {
  EXPECT_EQ(ParseInt("7", 1, 9, 5), 7);
  EXPECT_EQ(ParseInt("-7", 1, 9, 5), 1);
  EXPECT_EQ(ParseInt("99999999999999999999", 1, 9, 5), 9);
  EXPECT_EQ(ParseInt("-99999999999999999999", 1, 9, 5), 1);
  EXPECT_EQ(ParseInt("7a", 1, 9, 5), 5);
  EXPECT_EQ(ParseInt("", 1, 9, 5), 5);
}

}  // namespace
}  // namespace tome
