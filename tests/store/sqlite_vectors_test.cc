#include "tome/store/sqlite_vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tests/store/store_fixture.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kWidth = 5;
const std::string kHashOne(16, '1');
const std::string kHashTwo(16, '2');

// A row that owns what it holds.
struct OwnedRow {
  DocumentId document = 0;
  int64_t first = 0;
  int64_t total = 0;
  std::vector<TextSpan> spans = {};
  std::vector<int8_t> vectors = {};
  std::vector<float> scales = {};

  VectorRow Row() const {
    return {.document = document,
            .first = first,
            .total = total,
            .spans = spans,
            .vectors = vectors,
            .scales = scales};
  }
  friend bool operator==(const OwnedRow&, const OwnedRow&) = default;
};

OwnedRow RandomRow(DocumentId document, int64_t first, int64_t count, int64_t total) {
  std::mt19937 random(static_cast<uint32_t>(document * 1000 + first));
  OwnedRow row{.document = document, .first = first, .total = total};
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t begin = random() % (uint64_t{200} << 20);
    row.spans.push_back({.begin = begin, .end = begin + random() % 1000});
    row.scales.push_back(static_cast<float>(random()) / 1e9F);
    for (int64_t j = 0; j < kWidth; ++j) {
      row.vectors.push_back(static_cast<int8_t>(static_cast<int>(random() % 255) - 127));
    }
  }
  return row;
}

class SqliteVectorsTest : public StoreFixture {
 protected:
  SqliteVectorsTest() {
    one_ = Insert(*store_, SomeDocument(3), kHashOne).id;
    two_ = Insert(*store_, SomeDocument(4), kHashTwo).id;
    embedder_ = vectors_.Register("key", "bge", kWidth);
  }

  VectorProgress Put(const OwnedRow& row) { return vectors_.Put(embedder_, row.Row()); }
  std::vector<OwnedRow> Read(const std::vector<DocumentId>& documents = {}) {
    std::vector<OwnedRow> rows;
    vectors_.Read(embedder_, documents, [&](const VectorRow& row) {
      rows.push_back({.document = row.document,
                      .first = row.first,
                      .total = row.total,
                      .spans = {row.spans.begin(), row.spans.end()},
                      .vectors = {row.vectors.begin(), row.vectors.end()},
                      .scales = {row.scales.begin(), row.scales.end()}});
    });
    return rows;
  }

  std::unique_ptr<Store> store_ = Open();
  VectorStore& vectors_ = store_->vectors();
  DocumentId one_ = 0;
  DocumentId two_ = 0;
  EmbedderId embedder_ = 0;
};

TEST_F(SqliteVectorsTest, AnEmbedderIsKnownByItsKey) {
  EXPECT_EQ(vectors_.Register("key", "another name", kWidth), embedder_);
  const EmbedderId other = vectors_.Register("other key", "e5", 7);
  EXPECT_NE(other, embedder_);
  const std::vector<EmbedderRecord> records = Open()->vectors().Embedders();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].id, embedder_);
  EXPECT_EQ(records[0].key, "key");
  EXPECT_EQ(records[0].name, "bge");
  EXPECT_EQ(records[0].width, kWidth);
  EXPECT_THAT(records[0].added_at, testing::MatchesRegex("20..-..-..T..:..:..Z"));
  EXPECT_EQ(records[1].id, other);
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { vectors_.Register("key", "bge", kWidth + 1); }));
}

TEST_F(SqliteVectorsTest, GivesBackEveryRowAsItWasStored) {
  const OwnedRow a = RandomRow(one_, 0, kMaxRowWindows, kMaxRowWindows + 3);
  const OwnedRow b = RandomRow(one_, kMaxRowWindows, 3, kMaxRowWindows + 3);
  const OwnedRow c = RandomRow(two_, 0, 1, 1);
  Put(c);
  Put(a);
  Put(b);
  EXPECT_THAT(Read(), ElementsAre(a, b, c));
  EXPECT_THAT(Read({two_}), ElementsAre(c));
  EXPECT_THAT(Read({two_, one_, two_}), ElementsAre(a, b, c));
  EXPECT_THAT(Read({99}), IsEmpty());
  const EmbedderId other = vectors_.Register("other", "other", kWidth);
  vectors_.Read(other, {}, [](const VectorRow&) { FAIL() << "another embedder's"; });
}

TEST_F(SqliteVectorsTest, ProgressSaysWhereToGoOn) {
  EXPECT_EQ(vectors_.ProgressOf(embedder_, one_), VectorProgress{});
  EXPECT_FALSE(VectorProgress{}.complete());
  const VectorProgress half{.stored = 2, .total = 5};
  EXPECT_EQ(Put(RandomRow(one_, 0, 2, 5)), half);
  EXPECT_EQ(Open()->vectors().ProgressOf(embedder_, one_), half);
  EXPECT_FALSE(half.complete());
  EXPECT_THAT(vectors_.Incomplete(embedder_), ElementsAre(one_, two_));
  EXPECT_TRUE(Put(RandomRow(one_, 2, 3, 5)).complete());
  EXPECT_TRUE(vectors_.ProgressOf(embedder_, one_).complete());
  EXPECT_THAT(vectors_.Incomplete(embedder_), ElementsAre(two_));
}

TEST_F(SqliteVectorsTest, ARowThatIsNotTheNextOneChangesNothing) {
  const OwnedRow first = RandomRow(one_, 0, 4, 8);
  Put(first);
  const VectorProgress progress{.stored = 4, .total = 8};
  OwnedRow again = first;
  again.scales[0] += 1;
  EXPECT_EQ(Put(again), progress) << "the same row twice";
  EXPECT_EQ(Put(RandomRow(one_, 2, 4, 8)), progress) << "a row that overlaps";
  EXPECT_EQ(Put(RandomRow(one_, 5, 2, 8)), progress) << "a row behind a gap";
  EXPECT_EQ(Put(RandomRow(one_, 4, 4, 9)), progress) << "of a document cut in another way";
  EXPECT_THAT(Read(), ElementsAre(first));
}

TEST_F(SqliteVectorsTest, TwoWritersEmbedNothingTwice) {
  const auto other = Open();
  const OwnedRow a = RandomRow(one_, 0, 2, 4);
  const OwnedRow b = RandomRow(one_, 2, 2, 4);
  Put(a);
  EXPECT_EQ(other->vectors().Put(embedder_, a.Row()).stored, 2);
  EXPECT_TRUE(other->vectors().Put(embedder_, b.Row()).complete());
  EXPECT_TRUE(Put(b).complete());
  EXPECT_THAT(Read(), ElementsAre(a, b));
}

TEST_F(SqliteVectorsTest, VectorsGoWithTheirDocument) {
  const OwnedRow kept = RandomRow(two_, 0, 2, 2);
  Put(RandomRow(one_, 0, 2, 2));
  Put(kept);
  {
    const auto transaction = store_->Begin();
    store_->documents().Remove(one_);
  }
  EXPECT_EQ(Read().size(), 2U) << "rolled back";
  store_->documents().Remove(one_);
  EXPECT_THAT(Read(), ElementsAre(kept));
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { Put(RandomRow(one_, 0, 2, 2)); }));
  EXPECT_THAT(Read(), ElementsAre(kept));
  EXPECT_THAT(vectors_.Incomplete(embedder_), IsEmpty());
}

TEST_F(SqliteVectorsTest, ARowIsPartOfTheTransactionAroundIt) {
  {
    const auto transaction = store_->Begin();
    EXPECT_TRUE(Put(RandomRow(one_, 0, 2, 2)).complete());
  }
  EXPECT_EQ(vectors_.ProgressOf(embedder_, one_), VectorProgress{});
  const auto transaction = store_->Begin();
  Put(RandomRow(one_, 0, 2, 2));
  transaction->Commit();
  EXPECT_TRUE(Open()->vectors().ProgressOf(embedder_, one_).complete());
}

TEST_F(SqliteVectorsTest, ADroppedEmbedderLeavesNoVectorsAndNoOthersTouched) {
  const EmbedderId other = vectors_.Register("other", "other", kWidth);
  vectors_.Put(other, RandomRow(one_, 0, 1, 1).Row());
  Put(RandomRow(one_, 0, 2, 2));
  vectors_.Drop(embedder_);
  EXPECT_EQ(vectors_.Embedders().size(), 1U);
  EXPECT_TRUE(vectors_.ProgressOf(other, one_).complete());
  EXPECT_EQ(Tables().QueryInt("SELECT count(*) FROM windows"), 1);
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { Put(RandomRow(one_, 0, 2, 2)); }));
  EXPECT_TRUE(Fails(Code::kNotFound, [&] { Read(); }));
  EXPECT_NE(vectors_.Register("key", "bge", kWidth), embedder_) << "an old number is not reused";
}

TEST_F(SqliteVectorsTest, AKnownEmbedderIsFoundWhileAnotherWrites) {
  std::stop_source source;
  const std::unique_ptr<Store> reader = OpenSqliteStore(path(), source.get_token());
  source.request_stop();  // what had to wait would fail now
  const auto writing = store_->Begin();
  EXPECT_EQ(reader->vectors().Register("key", "bge", kWidth), embedder_);
  EXPECT_NE(ErrorText([&] { reader->vectors().Register("new", "bge", kWidth); }), "no error");
}

TEST_F(SqliteVectorsTest, ADamagedRowIsCorruptAndNamesItsDocument) {
  for (const char* damage : {"vectors = x'00'", "scales = x''", "spans = substr(spans, 2)",
                             "count = 3", "count = -1", "count = 1 << 40", "first = -1",
                             "total = 1", "spans = x'05000000040000000500000006000000'"}) {
    SCOPED_TRACE(damage);
    Database tables = Tables();
    tables.Exec("DELETE FROM windows");
    Put(RandomRow(one_, 0, 2, 2));
    tables.Exec(std::string("UPDATE windows SET ") + damage);
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Read(); }));
    EXPECT_THAT(ErrorText([&] { Read(); }), testing::HasSubstr("document 1 "));
  }
}

}  // namespace
}  // namespace tome
