#include "tome/answer/sources.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/library/library_fixture.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

class SourcesTest : public LibraryFixture {
 protected:
  NamedDocument Add(std::string_view name, std::string_view content) {
    return {.id = library_.Add(folder_.Write(name, content), {}).id, .name = std::string(name)};
  }
  void ExpectVerbatim(const Sources& sources) {
    for (size_t i = 0; i < sources.parts.size(); ++i) {
      const SourceText& part = sources.parts[i];
      EXPECT_EQ(part.text, library_.Text(part.document, part.span));
      if (i == 0 || sources.parts[i - 1].document != part.document) continue;
      EXPECT_LT(sources.parts[i - 1].span.begin, part.span.begin);
    }
  }
  // Returns a text of many passages, the last of which says most about the lamp.
  static std::string LongText() {
    std::string text = "The lamp was lit.\n";
    for (int i = 0; i < 200; ++i) {
      text += "On morning " + std::to_string(i) + " the sea stayed grey and nobody came.\n";
    }
    return text + "The lamp, the lamp, the lamp burned.\n";
  }

  static int64_t Bytes(std::string_view text) { return static_cast<int64_t>(text.size()); }

  Library library_ = Open();
};

TEST_F(SourcesTest, DocumentsAreShownWholeInTheOrderAsked) {
  const std::vector<NamedDocument> documents{Add("b.txt", "灯塔。\n"),
                                             Add("a.txt", "The keeper.\n")};
  const Sources sources = WholeDocuments(library_, documents);
  ASSERT_EQ(sources.parts.size(), 2U);
  EXPECT_TRUE(sources.whole);
  ExpectVerbatim(sources);
  EXPECT_EQ(sources.parts[0].document, documents[0].id);
  EXPECT_EQ(sources.parts[1].text, library_.Text(documents[1].id));
  EXPECT_EQ(sources.characters(), CountCodePoints(sources.parts[0].text + sources.parts[1].text));
}

TEST_F(SourcesTest, PassagesStandInTheOrderOfTheText) {
  const NamedDocument document = Add("a.txt", LongText());
  const Sources sources = FindPassages(library_, {&document, 1}, "Which lamp?", 100000, Bytes);
  EXPECT_FALSE(sources.whole);
  ASSERT_EQ(sources.parts.size(), 2U);
  ExpectVerbatim(sources);
  EXPECT_LT(sources.parts[0].score, sources.parts[1].score);
}

TEST_F(SourcesTest, AsManyPassagesAsAreWantedButOne) {
  const NamedDocument document = Add("a.txt", LongText());
  const Sources one = FindPassages(library_, {&document, 1}, "Which lamp?", 1, Bytes);
  ASSERT_EQ(one.parts.size(), 1U);
  EXPECT_NE(one.parts[0].text.find("lamp burned"), std::string::npos);
  EXPECT_TRUE(FindPassages(library_, {&document, 1}, "zyzzyva quokka", 1000, Bytes).parts.empty());
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] {
    FindPassages(library_, {&document, 1}, "?!", 1000, Bytes);
  }));
}

TEST_F(SourcesTest, WithoutDocumentsTheWholeLibraryIsSearched) {
  Add("a.txt", "The lamp was lit.\n");
  Add("b.txt", "A lamp burned.\n");
  EXPECT_EQ(FindPassages(library_, {}, "Which lamp?", 1000, Bytes).parts.size(), 2U);
}

}  // namespace
}  // namespace tome
