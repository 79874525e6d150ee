#include "tome/retrieval/retriever.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/temp_folder.h"
#include "tome/documents/document_builder.h"
#include "tome/documents/passages.h"
#include "tome/retrieval/lexical_search.h"
#include "tome/store/sqlite_store.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RetrieverTest : public testing::Test {
 protected:
  // Adds a document as the library does, in passages of at most 20 tokens.
  DocumentId Add(const Document& document) {
    const std::vector<Passage> passages = CutPassages(document, 20, {});
    const std::string hash(16, static_cast<char>('a' + added_++));
    const DocumentRecord record = store_->documents().Insert(
        {.hash = hash, .reading = {}, .file_bytes = 0, .document = document, .passages = passages});
    std::vector<PassageTerms> terms;
    for (const Passage& passage : passages) {
      terms.push_back(
          {.text = AnalyzeToStream(
               std::string_view(document.text).substr(passage.span.begin, passage.span.size()),
               analyzer_),
           .headings =
               AnalyzeToStream(SectionPath(document.sections, passage.section), analyzer_)});
    }
    store_->postings().Add(record.passages.first, terms);
    return record.id;
  }
  DocumentId AddParagraphs(const std::vector<std::string>& paragraphs) {
    DocumentBuilder builder("text");
    for (const std::string& paragraph : paragraphs) builder.Paragraph(paragraph);
    return Add(std::move(builder).Finish());
  }

  Found Find(const std::string& question, const std::vector<DocumentId>& documents = {},
             size_t limit = 10) {
    return retriever_.Find(question, {.documents = documents}, limit);
  }

  const TempFolder folder_;
  Analyzer analyzer_;
  std::unique_ptr<Store> store_ = OpenSqliteStore(folder_ / "library.db", {});
  Retriever retriever_{*store_, analyzer_};
  int added_ = 0;
};

TEST_F(RetrieverTest, APlaceTellsItsSectionsHeadingsAndText) {
  DocumentBuilder builder("text");
  builder.Heading(1, "Part");
  builder.Heading(2, "Chapter");
  builder.Paragraph("Needle here.");
  const DocumentId id = Add(std::move(builder).Finish());
  const Found found = Find("needle");
  ASSERT_EQ(found.places.size(), 1U);
  const FoundPlace& place = found.places[0];
  EXPECT_EQ(place.document, id);
  EXPECT_EQ(place.span, (TextSpan{0, 27}));
  EXPECT_EQ(place.section, 1);
  const PlaceText read = retriever_.Read(place);
  EXPECT_EQ(read.text, "Part\n\nChapter\n\nNeedle here.");
  EXPECT_EQ(read.section_path, "Part > Chapter");
  EXPECT_THAT(read.headings, ElementsAre(TextSpan{0, 4}, TextSpan{6, 13}));
}

TEST_F(RetrieverTest, ASectionWhoseTitleIsNotInTheTextIsNoHeading) {
  Document document;
  document.format = "text";
  document.text = "Needle here.";
  document.sections = {{.title = "Contents", .level = 1, .parent = kNoParent, .span = {0, 12}}};
  Add(document);
  const Found found = Find("needle");
  ASSERT_EQ(found.places.size(), 1U);
  const PlaceText read = retriever_.Read(found.places[0]);
  EXPECT_THAT(read.headings, IsEmpty());
  EXPECT_EQ(read.section_path, "Contents");
}

TEST_F(RetrieverTest, PlacesComeBestFirstWithTheirRanks) {
  AddParagraphs(
      {"The lamp was lit, and nobody knew by whom it had been lit on that evening of the year.",
       "Other words stand in this paragraph, and it is long enough for a passage of its own.",
       "The lamp, the lamp, the lamp, said the keeper of the light, and he said it three times."});
  const Found found = Find("Which lamp?");
  ASSERT_EQ(found.places.size(), 2U);
  EXPECT_NE(retriever_.Read(found.places[0]).text.find("three times"), std::string::npos);
  for (size_t i = 0; i < 2; ++i) {
    const FoundPlace& place = found.places[i];
    ASSERT_TRUE(place.ranks.lexical);
    EXPECT_EQ(place.ranks.lexical->rank, i + 1);
    EXPECT_EQ(place.ranks.lexical->score, place.score);
    EXPECT_FALSE(place.ranks.dense || place.ranks.fused || place.ranks.reranked);
  }
  EXPECT_GT(found.places[0].score, found.places[1].score);
  EXPECT_EQ(Find("Which lamp?", {}, 1).places.size(), 1U);
}

TEST_F(RetrieverTest, GivesTheQuestionAndHowRareItsTermsAre) {
  AddParagraphs({"The needle lies here."});
  const Found found = Find("  Where is   the needle or the haystack? ");
  EXPECT_EQ(found.question.text, "Where is the needle or the haystack?");
  ASSERT_EQ(found.question.terms.size(), 2U);
  const PassageRange all = store_->documents().AllPassages();
  EXPECT_EQ(found.idf, SearchByWords(store_->postings(), found.question.terms, {&all, 1}, 1).idf);
  EXPECT_LT(found.idf[0], found.idf[1]);
}

TEST_F(RetrieverTest, SearchesTheDocumentsOfTheScopeAndNoOther) {
  EXPECT_THAT(Find("alpha").places, IsEmpty());
  const DocumentId a = AddParagraphs({"Alpha a."});
  const DocumentId b = AddParagraphs({"Alpha b."});
  EXPECT_EQ(Find("alpha").places.size(), 2U);
  const Found in_b = Find("alpha", {b});
  ASSERT_EQ(in_b.places.size(), 1U);
  EXPECT_EQ(in_b.places[0].document, b);
  EXPECT_EQ(Find("alpha", {b, a, b}).places.size(), 2U);
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { Find("alpha", {77}); }));
}

TEST_F(RetrieverTest, AQuestionWithoutWordsIsRefused) {
  AddParagraphs({"Alpha."});
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] { Find("?!"); }));
}

TEST_F(RetrieverTest, AnIndexedPassageThatIsNotStoredIsDamage) {
  const DocumentId id = AddParagraphs({"Alpha."});
  AddParagraphs({"Beta."});
  store_->documents().Remove(id);  // without its postings
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Find("alpha"); }));
  EXPECT_EQ(Find("beta").places.size(), 1U);
}

}  // namespace
}  // namespace tome
