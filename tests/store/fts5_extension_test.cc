#include "tome/store/fts5_extension.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/expect_error.h"
#include "tome/store/posting_store.h"
#include "tome/store/term_stream.h"

namespace tome {
namespace {

class Fts5ExtensionTest : public testing::Test {
 protected:
  Fts5ExtensionTest() {
    RegisterFts5Extension(database_);
    database_.Exec("CREATE VIRTUAL TABLE t USING fts5(a, b, content='', tokenize='tome')");
  }

  std::string Stream(std::string_view text) { return AnalyzeToStream(text, analyzer_).stream; }

  void Insert(int64_t id, std::string_view a, std::string_view b) {
    const std::string first = Stream(a);
    const std::string second = Stream(b);
    database_.Prepare("INSERT INTO t(rowid, a, b) VALUES(?1, ?2, ?3)")
        .Bind(1, id)
        .Bind(2, std::string_view(first))
        .Bind(3, std::string_view(second))
        .Run();
  }

  // Returns "id:text/headings" for each posting.
  std::vector<std::string> Postings(const std::string& stream) {
    std::vector<Posting> postings;
    const std::string match = "\"" + stream + "\"";
    database_.Prepare("SELECT 1 FROM t WHERE t MATCH ?2 AND NOT tome_collect(t, ?1)")
        .BindPointer(1, &postings, kPostingsPointer)
        .Bind(2, std::string_view(match))
        .Run();
    std::vector<std::string> readable;
    for (const Posting& posting : postings) {
      readable.push_back(std::to_string(posting.id) + ":" + std::to_string(posting.in_text) + "/" +
                         std::to_string(posting.in_headings));
    }
    return readable;
  }

  Database database_ = Database::Open(":memory:", std::chrono::milliseconds(0), {});
  Analyzer analyzer_;
};

TEST_F(Fts5ExtensionTest, CountsOccurrencesInBothColumns) {
  Insert(3, "cat dog cat", "cat");
  Insert(7, "dog", "dog dog");
  EXPECT_THAT(Postings(Stream("cat")), testing::ElementsAre("3:2/1"));
  EXPECT_THAT(Postings(Stream("dog")), testing::ElementsAre("3:1/0", "7:1/2"));
  EXPECT_THAT(Postings(Stream("bird")), testing::IsEmpty());
}

TEST_F(Fts5ExtensionTest, FindsPhrasesThroughPairsAtTheirFirstCharacter) {
  Insert(1, "软件管理", "");
  Insert(2, "件软管理", "");
  std::string phrase;
  AppendTerm("软件", phrase);
  AppendTerm("件管", phrase);
  EXPECT_THAT(Postings(phrase), testing::ElementsAre("1:1/0"));
  std::string single;
  AppendTerm("管", single);
  EXPECT_THAT(Postings(single), testing::ElementsAre("1:1/0", "2:1/0"));
}

TEST_F(Fts5ExtensionTest, CollectRefusesWhatIsNoListOfPostings) {
  Insert(1, "cat", "");
  const std::string match = "\"" + Stream("cat") + "\"";
  const auto search = [&](const std::string& arguments) {
    Statement statement =
        database_.Prepare("SELECT tome_collect(t" + arguments + ") FROM t WHERE t MATCH ?1");
    statement.Bind(1, std::string_view(match));
    statement.Run();
  };
  EXPECT_THROW(search(""), Error);
  EXPECT_THROW(search(", 5"), Error);
  EXPECT_THROW(search(", NULL"), Error);
  std::vector<Posting> postings;
  Statement wrong_type = database_.Prepare("SELECT tome_collect(t, ?2) FROM t WHERE t MATCH ?1");
  wrong_type.Bind(1, std::string_view(match)).BindPointer(2, &postings, "something else");
  EXPECT_THROW(wrong_type.Run(), Error);
  EXPECT_TRUE(postings.empty());
}

TEST_F(Fts5ExtensionTest, AMalformedStreamIsIndexedUpToItsDamage) {
  const std::string damaged = Stream("cat") + "garbage";
  database_.Prepare("INSERT INTO t(rowid, a, b) VALUES(1, ?1, '')")
      .Bind(1, std::string_view(damaged))
      .Run();
  EXPECT_THAT(Postings(Stream("cat")), testing::ElementsAre("1:1/0"));
}

}  // namespace
}  // namespace tome
