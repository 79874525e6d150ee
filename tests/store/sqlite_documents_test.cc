#include "tome/store/sqlite_documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/store/store_fixture.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kHashA(16, 'a');
const std::string kHashB(16, 'b');
constexpr Reading kPlain{.reader = "1", .settings = {}};
constexpr Reading kDeclared{.reader = "1", .settings = "encoding=GB18030 "};

FileStamp StampWith(uint64_t size) {
  return {.size = size, .mtime_ns = 2, .ctime_ns = 3, .inode = 4, .device = 5};
}

class SqliteDocumentsTest : public StoreFixture {
 protected:
  std::unique_ptr<Store> store_ = Open();
  DocumentStore& documents_ = store_->documents();
};

TEST_F(SqliteDocumentsTest, GivesBackWhatADocumentBrought) {
  Document document = SomeDocument(40);
  document.title = "A title";
  document.line_breaks = LineBreaks::kSoft;
  document.notes = {Note("first"), Note("second")};
  document.pages = {{.span = {.begin = 0, .end = 4}, .label = "i"},
                    {.span = {.begin = 6, .end = document.text.size()}, .label = ""}};
  const std::vector<Passage> passages = CutPassages(document, 20, {});
  const DocumentRecord record = Insert(*store_, document, kHashA);
  EXPECT_EQ(record.hash, "61616161616161616161616161616161");
  EXPECT_EQ(record.title, "A title");
  EXPECT_EQ(record.line_breaks, LineBreaks::kSoft);
  EXPECT_EQ(record.file_bytes, 77U);
  EXPECT_EQ(record.text_bytes, document.text.size());
  EXPECT_EQ(record.pages, 2U);
  EXPECT_THAT(record.notes, ElementsAre("first", "second"));
  EXPECT_THAT(record.paths, IsEmpty());
  EXPECT_EQ(record.passages, (PassageRange{1, static_cast<PassageId>(passages.size())}));
  EXPECT_THAT(record.added_at, testing::MatchesRegex("20..-..-..T..:..:..Z"));

  EXPECT_EQ(documents_.Text(record.id, {.begin = 0, .end = document.text.size()}), document.text);
  EXPECT_EQ(documents_.Sections(record.id), document.sections);
  EXPECT_EQ(documents_.Pages(record.id), document.pages);
  const std::vector<Passage> stored = documents_.PassagesOf(record);
  ASSERT_EQ(stored.size(), passages.size());
  uint64_t tokens = 0;
  for (size_t i = 0; i < passages.size(); ++i) {
    EXPECT_EQ(stored[i].span, passages[i].span);
    EXPECT_EQ(stored[i].section, passages[i].section);
    EXPECT_EQ(stored[i].tokens, passages[i].tokens);
    tokens += passages[i].tokens;
  }
  EXPECT_EQ(record.tokens, tokens);
}

TEST_F(SqliteDocumentsTest, PassagesAreReadByTheirNumbersInTheOrderAsked) {
  const DocumentRecord a = Insert(*store_, SomeDocument(30), kHashA);
  const DocumentRecord b = Insert(*store_, SomeDocument(30), kHashB);
  EXPECT_EQ(b.passages.first, a.passages.last + 1);
  EXPECT_EQ(documents_.AllPassages(), (PassageRange{1, b.passages.last}));
  const std::vector<PassageId> ids{b.passages.last, a.passages.first, b.passages.first};
  const std::vector<StoredPassage> passages = documents_.ReadPassages(ids);
  ASSERT_EQ(passages.size(), 3U);
  EXPECT_EQ(passages[0].document, b.id);
  EXPECT_EQ(passages[1].document, a.id);
  EXPECT_EQ(passages[1].id, a.passages.first);
  EXPECT_EQ(passages[1].span, documents_.PassagesOf(a).front().span);
  EXPECT_EQ(passages[2].section, documents_.PassagesOf(b).front().section);
  const std::vector<PassageId> unknown{a.passages.first, 999};
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { documents_.ReadPassages(unknown); }));
  EXPECT_TRUE(documents_.ReadPassages({}).empty());
}

TEST_F(SqliteDocumentsTest, AnEmptyStoreHasNoPassagesAndNoDocuments) {
  EXPECT_EQ(documents_.AllPassages(), (PassageRange{1, 0}));
  EXPECT_THAT(documents_.List(), IsEmpty());
  EXPECT_EQ(documents_.Find(1), std::nullopt);
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { documents_.Read(1); }));
}

TEST_F(SqliteDocumentsTest, AContentIsFoundByTheWayItWasRead) {
  const DocumentId declared = Insert(*store_, SomeDocument(1), kHashA, kDeclared).id;
  EXPECT_EQ(documents_.FindByContent(kHashA, kPlain), declared) << "any reading will do";
  const DocumentId plain = Insert(*store_, SomeDocument(2), kHashA, kPlain).id;
  EXPECT_EQ(documents_.FindByContent(kHashA, kPlain), plain) << "the plain one comes first";
  EXPECT_EQ(documents_.FindByContent(kHashA, kDeclared), declared);
  EXPECT_EQ(documents_.FindByContent(kHashA, {.reader = "2", .settings = {}}), std::nullopt);
  EXPECT_EQ(documents_.FindByContent(kHashB, kPlain), std::nullopt);
}

TEST_F(SqliteDocumentsTest, AFileIsFoundByItsWholeStamp) {
  const DocumentId id = Insert(*store_, SomeDocument(1), kHashA, kDeclared).id;
  EXPECT_EQ(documents_.LinkFile("/a", id, StampWith(1)), std::nullopt);
  EXPECT_EQ(documents_.FindByFile("/a", StampWith(1), kPlain), id);
  EXPECT_EQ(documents_.FindByFile("/a", StampWith(1), kDeclared), id);
  EXPECT_EQ(documents_.FindByFile("/b", StampWith(1), kPlain), std::nullopt);
  EXPECT_EQ(documents_.FindByFile("/a", StampWith(1), {.reader = "1", .settings = "ocr "}),
            std::nullopt);
  for (const auto& change : std::initializer_list<void (*)(FileStamp&)>{
           [](FileStamp& s) { ++s.size; }, [](FileStamp& s) { ++s.mtime_ns; },
           [](FileStamp& s) { ++s.ctime_ns; }, [](FileStamp& s) { ++s.inode; },
           [](FileStamp& s) { ++s.device; }}) {
    FileStamp other = StampWith(1);
    change(other);
    EXPECT_EQ(documents_.FindByFile("/a", other, kPlain), std::nullopt);
  }
}

TEST_F(SqliteDocumentsTest, AFileGivesOneDocumentAtATime) {
  const DocumentId a = Insert(*store_, SomeDocument(1), kHashA).id;
  const DocumentId b = Insert(*store_, SomeDocument(2), kHashB).id;
  documents_.LinkFile("/y", a, StampWith(1));
  documents_.LinkFile("/x", a, StampWith(1));
  EXPECT_THAT(documents_.Read(a).paths, ElementsAre("/x", "/y"));
  EXPECT_EQ(documents_.LinkFile("/x", b, StampWith(2)), a);
  EXPECT_EQ(documents_.LinkFile("/x", b, StampWith(3)), b);
  EXPECT_THAT(documents_.Read(a).paths, ElementsAre("/y"));
  EXPECT_THAT(documents_.Read(b).paths, ElementsAre("/x"));
  EXPECT_EQ(documents_.FindByFile("/x", StampWith(3), kPlain), b);
}

TEST_F(SqliteDocumentsTest, AFileThatIsForgottenLeavesItsDocument) {
  const DocumentId id = Insert(*store_, SomeDocument(1), kHashA).id;
  documents_.LinkFile("/x", id, StampWith(1));
  EXPECT_EQ(documents_.UnlinkFile("/y"), std::nullopt);
  EXPECT_EQ(documents_.UnlinkFile("/x"), id);
  EXPECT_EQ(documents_.UnlinkFile("/x"), std::nullopt);
  EXPECT_TRUE(documents_.Read(id).paths.empty());
}

TEST_F(SqliteDocumentsTest, NothingIsLeftOfARemovedDocument) {
  const Document document = SomeDocument(10);
  const DocumentRecord gone = Insert(*store_, document, kHashA);
  const DocumentRecord stays = Insert(*store_, document, kHashB);
  documents_.LinkFile("/gone", gone.id, StampWith(1));
  documents_.LinkFile("/stays", stays.id, StampWith(1));
  documents_.Remove(gone.id);
  Database tables = Tables();
  for (const char* table : {"files", "texts", "sections", "pages", "passages", "windows"}) {
    EXPECT_EQ(tables.QueryInt(std::string("SELECT count(*) FROM ") + table +
                              " WHERE document = " + std::to_string(gone.id)),
              0)
        << table;
  }
  ASSERT_EQ(documents_.List().size(), 1U);
  EXPECT_EQ(documents_.List()[0].id, stays.id);
  EXPECT_THAT(documents_.List()[0].paths, ElementsAre("/stays"));
  EXPECT_EQ(documents_.Text(stays.id, {.begin = 0, .end = document.text.size()}), document.text);
  EXPECT_EQ(documents_.PassagesOf(stays).size(), CutPassages(document, 20, {}).size());
}

TEST_F(SqliteDocumentsTest, SectionsAreFoundByTheirPathAndTheirBeginning) {
  const Document document = SomeDocument(3);
  const DocumentId id = Insert(*store_, document, kHashA).id;
  for (int64_t section = 0; section < std::ssize(document.sections); ++section) {
    EXPECT_EQ(documents_.SectionPath(id, section), SectionPath(document.sections, section));
  }
  EXPECT_EQ(documents_.SectionPath(id, kNoParent), "");
  EXPECT_EQ(documents_.SectionPath(id, 99), "");
  const TextSpan second = document.sections[1].span;
  EXPECT_EQ(documents_.SectionsBeginningIn(id, {.begin = 0, .end = second.begin + 1}),
            document.sections);
  EXPECT_THAT(documents_.SectionsBeginningIn(id, {.begin = 0, .end = second.begin}),
              ElementsAre(document.sections[0]));
  EXPECT_THAT(documents_.SectionsBeginningIn(id, {.begin = second.begin + 1, .end = 1000}),
              IsEmpty());
}

TEST_F(SqliteDocumentsTest, SectionsThatADamagedTablePutsIntoEachOtherEnd) {
  const DocumentId id = Insert(*store_, SomeDocument(3), kHashA).id;
  Tables().Exec("UPDATE sections SET parent = 1 - ordinal");
  EXPECT_EQ(documents_.SectionPath(id, 1), "Part > Chapter");
  EXPECT_EQ(documents_.SectionPath(id, 0), "Part");
}

}  // namespace
}  // namespace tome
