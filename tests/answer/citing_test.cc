#include "tome/answer/citing.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/library/library_fixture.h"

namespace tome {
namespace {

class CitingTest : public LibraryFixture {
 protected:
  Citation Cite(const NamedDocument& document, std::string_view quote) {
    const std::string text = library_.Text(document.id);
    const size_t begin = text.find(quote);
    EXPECT_NE(begin, std::string::npos) << quote;
    DocumentNames names(library_, {&document, 1});
    return Citer(library_, names)
        .Cite(document.id, {.begin = begin, .end = begin + quote.size()}, 0.5);
  }

  Library library_ = Open();
};

TEST_F(CitingTest, ASpanIsCitedWithItsPageAndSection) {
  const auto path = folder_.Write(
      "a.txt", "---\n# Part\nNothing of use.\n---\n## 安装\nThe needle lies in the haystack.\n");
  const NamedDocument document{.id = library_.Add(path, {}).id, .name = "my a.txt"};
  const Citation citation = Cite(document, "needle lies");
  EXPECT_EQ(citation.quote, "needle lies");
  EXPECT_EQ(citation.quote, library_.Text(document.id, citation.span));
  EXPECT_EQ(citation.document, "my a.txt");
  EXPECT_EQ(citation.document_id, document.id);
  EXPECT_EQ(citation.page, 2);
  EXPECT_EQ(citation.page_label, "p2");
  EXPECT_EQ(citation.section, "Part > 安装");
  EXPECT_EQ(citation.score, 0.5);
  EXPECT_EQ(Cite(document, "Nothing").page, 1);
  EXPECT_EQ(Cite(document, "Nothing").section, "Part");
}

TEST_F(CitingTest, WhereThereIsNoPageOrSectionThereIsNone) {
  const auto path = folder_.Write("b.txt", "鲸油换成了煤油灯。\n");
  const Citation citation = Cite({.id = library_.Add(path, {}).id, .name = "b.txt"}, "煤油灯");
  EXPECT_EQ(citation.quote, "煤油灯");
  EXPECT_FALSE(citation.page);
  EXPECT_FALSE(citation.section);
  EXPECT_EQ(citation.page_label, "");
}

}  // namespace
}  // namespace tome
