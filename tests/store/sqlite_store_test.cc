#include "tome/store/sqlite_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/store/store_fixture.h"
#include "tome/text/analyzer.h"

namespace tome {
namespace {

using testing::IsEmpty;

const std::string kHash(16, 'h');

class SqliteStoreTest : public StoreFixture {};

TEST_F(SqliteStoreTest, KeepsPropertiesByName) {
  EXPECT_EQ(Open()->Property(kAnalyzerProperty), AnalyzerVersion());
  const auto store = Open();
  EXPECT_EQ(store->Property("none"), std::nullopt);
  store->SetProperty("none", "now one");
  store->SetProperty(kAnalyzerProperty, "");
  EXPECT_EQ(Open()->Property("none"), "now one");
  EXPECT_EQ(Open()->Property(kAnalyzerProperty), "");
}

TEST_F(SqliteStoreTest, ATransactionThatEndsWithoutCommitWasNever) {
  const auto store = Open();
  {
    const auto transaction = store->Begin();
    Insert(*store, SomeDocument(3), kHash);
    store->SetProperty("p", "v");
    EXPECT_EQ(store->documents().List().size(), 1U);
  }
  EXPECT_THAT(store->documents().List(), IsEmpty());
  EXPECT_EQ(store->Property("p"), std::nullopt);
}

TEST_F(SqliteStoreTest, OthersSeeATransactionWhenItIsCommitted) {
  const auto writer = Open();
  const auto reader = Open();
  const auto transaction = writer->Begin();
  Insert(*writer, SomeDocument(3), kHash);
  EXPECT_THAT(reader->documents().List(), IsEmpty());
  transaction->Commit();
  EXPECT_EQ(reader->documents().List().size(), 1U);
}

}  // namespace
}  // namespace tome
