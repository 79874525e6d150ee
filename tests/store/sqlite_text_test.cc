#include "tome/store/sqlite_text.h"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>

#include "tests/expect_error.h"

namespace tome {
namespace {

class SqliteTextTest : public testing::Test {
 protected:
  SqliteTextTest() {
    database_.Exec(
        "CREATE TABLE texts(document INTEGER NOT NULL, chunk INTEGER NOT NULL, bytes BLOB NOT "
        "NULL, PRIMARY KEY(document, chunk))");
  }
  std::string Read(int64_t document, uint64_t begin, uint64_t end) {
    return ReadStoredText(database_, document, {.begin = begin, .end = end});
  }

  Database database_ = Database::Open(":memory:", std::chrono::milliseconds(0), {});
};

std::string SomeText(uint64_t bytes, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < bytes) text += std::to_string(random() % 1000) + " ";
  text.resize(bytes);
  return text;
}

TEST_F(SqliteTextTest, GivesEverySpanBack) {
  for (const uint64_t size : {uint64_t{0}, uint64_t{1}, kTextChunkBytes - 1, kTextChunkBytes,
                              kTextChunkBytes + 1, 3 * kTextChunkBytes, 3 * kTextChunkBytes + 77}) {
    const std::string text = SomeText(size, 1);
    const auto document = static_cast<int64_t>(size + 1);
    WriteStoredText(database_, document, text);
    EXPECT_TRUE(Read(document, 0, size) == text) << size;
    std::mt19937 random(2);
    for (int i = 0; i < 40; ++i) {
      const uint64_t a = random() % (size + 1);
      const uint64_t b = random() % (size + 1);
      const auto [begin, end] = std::minmax(a, b);
      EXPECT_TRUE(Read(document, begin, end) == text.substr(begin, end - begin))
          << size << " [" << begin << ", " << end << ")";
    }
  }
}

TEST_F(SqliteTextTest, SpansOnTheEdgesOfChunksAreExact) {
  const std::string text = SomeText(3 * kTextChunkBytes, 3);
  WriteStoredText(database_, 1, text);
  for (const uint64_t edge : {kTextChunkBytes, 2 * kTextChunkBytes}) {
    for (uint64_t begin = edge - 2; begin <= edge + 2; ++begin) {
      for (uint64_t end = begin; end <= edge + 2; ++end) {
        EXPECT_EQ(Read(1, begin, end), text.substr(begin, end - begin));
      }
    }
  }
}

TEST_F(SqliteTextTest, ASpanThatIsNotThereIsCorrupt) {
  WriteStoredText(database_, 1, SomeText(kTextChunkBytes + 10, 4));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Read(1, 0, kTextChunkBytes + 11); }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Read(1, 10 * kTextChunkBytes, 11 * kTextChunkBytes); }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Read(2, 0, 1); }));
  // A damaged table of passages would give such spans.
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Read(1, 0, ~uint64_t{0}); }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Read(1, 10, 5); }));
  EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Read(1, ~uint64_t{0} - 5, 3); }));
}

TEST_F(SqliteTextTest, ADamagedOrMissingChunkIsCorruptAndTheOthersStayReadable) {
  const std::string text = SomeText(3 * kTextChunkBytes, 5);
  for (const char* damage :
       {"UPDATE texts SET bytes = x'00112233' WHERE chunk = 1", "DELETE FROM texts WHERE chunk = 1",
        "UPDATE texts SET bytes = substr(bytes, 1, length(bytes) / 2) WHERE chunk = 1",
        "UPDATE texts SET bytes = x'' WHERE chunk = 1",
        "UPDATE texts SET bytes = (SELECT bytes FROM texts WHERE document = 2) WHERE document = 1 "
        "AND chunk = 1"}) {
    database_.Exec("DELETE FROM texts");
    WriteStoredText(database_, 1, text);
    WriteStoredText(database_, 2, "short");
    database_.Exec(damage);
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Read(1, 0, text.size()); })) << damage;
    EXPECT_TRUE(Fails(Code::kCorrupt, [&] { Read(1, kTextChunkBytes - 1, kTextChunkBytes + 6); }))
        << damage;
    EXPECT_EQ(Read(1, 5, 50), text.substr(5, 45)) << damage;
    EXPECT_EQ(Read(1, text.size() - 9, text.size()), text.substr(text.size() - 9)) << damage;
  }
}

}  // namespace
}  // namespace tome
