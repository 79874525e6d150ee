#include "tome/store/sqlite_notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/store/store_fixture.h"

namespace tome {
namespace {

using testing::Optional;

class SqliteNotesTest : public StoreFixture {
 protected:
  static NoteKey Key(DocumentId document) {
    return {.document = document, .survey = "key", .level = 0, .span = {.begin = 3, .end = 9}};
  }
};

TEST_F(SqliteNotesTest, KeepsNotesByAllPartsOfTheirKey) {
  const auto store = Open();
  const DocumentId id = Insert(*store, SomeDocument(2), std::string(16, '1')).id;
  store->notes().Keep(Key(id), "first");
  store->notes().Keep(Key(id), "second");
  EXPECT_THAT(Open()->notes().Find(Key(id)), Optional(std::string("second")));
  NoteKey other = Key(id);
  other.survey = "other";
  EXPECT_EQ(store->notes().Find(other), std::nullopt);
  other = Key(id);
  other.level = 1;
  EXPECT_EQ(store->notes().Find(other), std::nullopt);
  other = Key(id);
  other.span.end = 10;
  EXPECT_EQ(store->notes().Find(other), std::nullopt);
  store->notes().Keep(other, "");
  EXPECT_THAT(store->notes().Find(other), Optional(std::string()));
}

TEST_F(SqliteNotesTest, NotesGoWithTheirDocument) {
  const auto store = Open();
  const DocumentId gone = Insert(*store, SomeDocument(2), std::string(16, '1')).id;
  const DocumentId stays = Insert(*store, SomeDocument(2), std::string(16, '2')).id;
  store->notes().Keep(Key(gone), "gone");
  store->notes().Keep(Key(stays), "stays");
  store->documents().Remove(gone);
  EXPECT_EQ(store->notes().Find(Key(gone)), std::nullopt);
  EXPECT_THAT(store->notes().Find(Key(stays)), Optional(std::string("stays")));
  // A model may still read a document that another process removed.
  store->notes().Keep(Key(gone), "late");
  EXPECT_EQ(store->notes().Find(Key(gone)), std::nullopt);
}

}  // namespace
}  // namespace tome
