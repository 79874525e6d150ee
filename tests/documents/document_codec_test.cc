#include "tome/documents/document_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/documents/random_document.h"
#include "tests/expect_error.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

using nlohmann::json;

constexpr size_t kFixedBytes = 16;  // magic and header length

std::string Packed(const std::string& header, const std::string& text) {
  std::string bytes = "TOMEDOC1";
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>((header.size() >> (8 * i)) & 0xFF);
  return bytes + header + text;
}

// Returns a header with two nested sections and two pages, over "One\n\nDeep\n\n字".
json GoodHeader() {
  return json::parse(R"({
    "format": "pdf", "encoding": "", "title": "T", "line_breaks": "hard",
    "pages": [[0, 3, "i"], [5, 14, "ii"]],
    "sections": [["One", 1, -1, 0, 14], ["Deep", 2, 0, 5, 14]],
    "notes": [["a note", []], ["another", [[3, 7, "", "", ""], [0, 4, "q8", "which loses little", ""]]]],
    "text_bytes": 14})");
}
const std::string kGoodText = "One\n\nDeep\n\n字";

TEST(DocumentCodecTest, ReadsTheLayoutThatTheHeaderDescribes) {
  const Document document = DecodeDocument(Packed(GoodHeader().dump(), kGoodText));
  EXPECT_EQ(document,
            (Document{.format = "pdf",
                      .encoding = "",
                      .title = "T",
                      .text = kGoodText,
                      .line_breaks = LineBreaks::kHard,
                      .pages = {{{0, 3}, "i"}, {{5, 14}, "ii"}},
                      .sections = {{"One", 1, kNoParent, {0, 14}}, {"Deep", 2, 0, {5, 14}}},
                      .notes = {"a note",
                                {"another",
                                 {Advice::Raise(Setting::kMemory),
                                  Advice::Use(Setting::kKv, "q8", "which loses little")}}}}));
}

TEST(DocumentCodecTest, EveryDocumentComesBackAsItWas) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const Document document = RandomDocument(random);
    EXPECT_EQ(DecodeDocument(EncodeDocument(document)), document) << "seed " << seed;
  }
  EXPECT_EQ(DecodeDocument(EncodeDocument(Document())), Document());
}

TEST(DocumentCodecTest, ACutAnswerIsCorruptWhereverItIsCut) {
  std::mt19937 random(7);
  std::string bytes = EncodeDocument(RandomDocument(random));
  ASSERT_GT(bytes.size(), 1000U);
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_TRUE(Fails(Code::kCorrupt, [&] {
      DecodeDocument(std::string_view(bytes).substr(0, size));
    })) << size;
  }
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { DecodeDocument(bytes + "x"); }));
}

TEST(DocumentCodecTest, AFlippedByteIsCorruptOrLeavesADocumentThatKeepsItsPromises) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    const std::string good = EncodeDocument(RandomDocument(random));
    for (int i = 0; i < 200; ++i) {
      std::string bytes = good;
      bytes[random() % bytes.size()] ^= static_cast<char>(1 + random() % 255);
      try {
        CheckDocument(DecodeDocument(bytes));
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kCorrupt) << "seed " << seed << ": " << error.what();
      }
    }
  }
}

struct Lie {
  const char* name;
  std::function<void(json&)> tell;
};

TEST(DocumentCodecTest, EachLieOfTheHeaderIsCorrupt) {
  const std::vector<Lie> lies = {
      {"no format", [](json& h) { h.erase("format"); }},
      {"format is a number", [](json& h) { h["format"] = 1; }},
      {"encoding is null", [](json& h) { h["encoding"] = nullptr; }},
      {"title is a list", [](json& h) { h["title"] = json::array(); }},
      {"unknown line breaks", [](json& h) { h["line_breaks"] = "firm"; }},
      {"line breaks are a number", [](json& h) { h["line_breaks"] = 0; }},
      {"notes are a text", [](json& h) { h["notes"] = "note"; }},
      {"a note is a number", [](json& h) { h["notes"][0] = 3; }},
      {"a note without advice", [](json& h) { h["notes"][0] = {"a note"}; }},
      {"advice is a number", [](json& h) { h["notes"][1][1] = 3; }},
      {"advice of an unknown kind", [](json& h) { h["notes"][1][1][0][0] = 6; }},
      {"advice of an unknown setting", [](json& h) { h["notes"][1][1][0][1] = 14; }},
      {"a setting below zero", [](json& h) { h["notes"][1][1][0][1] = -1; }},
      {"advice without a value",
       [](json& h) {
         h["notes"][1][1][0] = {0, 0};
       }},
      {"too many notes", [](json& h) { h["notes"] = std::vector<int>(kMaxNotes + 1, 0); }},
      {"text longer than said", [](json& h) { h["text_bytes"] = 13; }},
      {"text shorter than said", [](json& h) { h["text_bytes"] = 15; }},
      {"size is negative", [](json& h) { h["text_bytes"] = -14; }},
      {"size is a fraction", [](json& h) { h["text_bytes"] = 14.5; }},
      {"pages are a number", [](json& h) { h["pages"] = 5; }},
      {"a page is a number", [](json& h) { h["pages"][0] = 5; }},
      {"a page without a label",
       [](json& h) {
         h["pages"][0] = {0, 3};
       }},
      {"a page's label is a number", [](json& h) { h["pages"][0][2] = 1; }},
      {"a page ends before it begins",
       [](json& h) {
         h["pages"][0] = {3, 2, ""};
       }},
      {"a page ends behind the text", [](json& h) { h["pages"][1][1] = 15; }},
      {"a page begins below zero", [](json& h) { h["pages"][0][0] = -1; }},
      {"a page begins beyond every number", [](json& h) { h["pages"][1][0] = 1e300; }},
      {"a page begins at a fraction", [](json& h) { h["pages"][0][0] = 0.5; }},
      {"a page begins with true", [](json& h) { h["pages"][0][0] = true; }},
      {"pages overlap", [](json& h) { h["pages"][1][0] = 2; }},
      {"a page ends inside a character", [](json& h) { h["pages"][1][1] = 13; }},
      {"a section is an object", [](json& h) { h["sections"][0] = json::object(); }},
      {"a section without an end",
       [](json& h) {
         h["sections"][0] = {"One", 1, -1, 0};
       }},
      {"a section without a title", [](json& h) { h["sections"][1][0] = ""; }},
      {"a section's title is a number", [](json& h) { h["sections"][1][0] = 7; }},
      {"level zero", [](json& h) { h["sections"][0][1] = 0; }},
      {"a level that wraps to 1", [](json& h) { h["sections"][0][1] = (uint64_t{1} << 32) + 1; }},
      {"a level that is a fraction", [](json& h) { h["sections"][0][1] = 1.5; }},
      {"a level not below the parent's", [](json& h) { h["sections"][1][1] = 1; }},
      {"its own parent", [](json& h) { h["sections"][1][2] = 1; }},
      {"a later parent", [](json& h) { h["sections"][0][2] = 1; }},
      {"parent below none", [](json& h) { h["sections"][1][2] = -2; }},
      {"a parent that wraps", [](json& h) { h["sections"][1][2] = ~uint64_t{0} - 1; }},
      {"a section ends behind its parent", [](json& h) { h["sections"][0][4] = 9; }},
      {"sections out of order", [](json& h) { h["sections"][0][3] = 9; }},
      {"a section inside a character", [](json& h) { h["sections"][1][3] = 12; }},
  };
  for (const Lie& lie : lies) {
    json header = GoodHeader();
    lie.tell(header);
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { DecodeDocument(Packed(header.dump(), kGoodText)); }))
        << lie.name;
  }
}

TEST(DocumentCodecTest, WhatIsNoHeaderIsCorrupt) {
  for (const std::string header : {"", "null", "[]", "{", "{}", "12", "\"\xFF\"", "{\"format\":"}) {
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { DecodeDocument(Packed(header, "")); })) << header;
  }
  std::string bytes = Packed(GoodHeader().dump(), kGoodText);
  for (size_t i = 8; i < kFixedBytes; ++i) bytes[i] = '\xFF';
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { DecodeDocument(bytes); }));
}

TEST(DocumentCodecTest, ATextThatIsNotUtf8IsCorrupt) {
  std::string text = kGoodText;
  text[1] = '\xC0';
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { DecodeDocument(Packed(GoodHeader().dump(), text)); }));
}

}  // namespace
}  // namespace tome
