#include "tome/store/sqlite_postings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/store/store_fixture.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SqlitePostingsTest : public StoreFixture {
 protected:
  std::vector<PassageTerms> Terms(const std::vector<std::pair<std::string, std::string>>& texts) {
    std::vector<PassageTerms> passages;
    for (const auto& [text, headings] : texts) {
      passages.push_back({.text = AnalyzeToStream(text, analyzer_),
                          .headings = AnalyzeToStream(headings, analyzer_)});
    }
    return passages;
  }

  // Returns "id:text/headings" for each posting of a word.
  std::vector<std::string> Of(const std::string& word, const std::vector<PassageRange>& ranges) {
    const std::string stream = AnalyzeToStream(word, analyzer_).stream;
    const std::string_view view = stream;
    std::vector<std::string> readable;
    const auto found = postings_.Postings({&view, 1}, ranges);
    for (const Posting& posting : found.at(0)) {
      readable.push_back(std::to_string(posting.id) + ":" + std::to_string(posting.in_text) + "/" +
                         std::to_string(posting.in_headings));
    }
    return readable;
  }

  Analyzer analyzer_;
  std::unique_ptr<Store> store_ = Open();
  PostingStore& postings_ = store_->postings();
};

TEST_F(SqlitePostingsTest, GivesThePostingsOfTheRangesInOrder) {
  postings_.Add(1, Terms({{"cat dog cat", "cat"}, {"dog", ""}, {"cat", ""}}));
  postings_.Add(4, Terms({{"cat", "dog"}}));
  EXPECT_THAT(Of("cat", {{1, 4}}), ElementsAre("1:2/1", "3:1/0", "4:1/0"));
  EXPECT_THAT(Of("cat", {{1, 2}, {4, 9}}), ElementsAre("1:2/1", "4:1/0"));
  EXPECT_THAT(Of("dog", {{2, 4}}), ElementsAre("2:1/0", "4:0/1"));
  EXPECT_THAT(Of("cat", {{2, 2}}), IsEmpty());
  EXPECT_THAT(Of("cat", {}), IsEmpty());
  EXPECT_TRUE(postings_.Postings({}, {}).empty());
}

TEST_F(SqlitePostingsTest, TellsTheLengthOfEveryPassageAndOfNoOther) {
  postings_.Add(1, Terms({{"a b c", "x"}, {"", ""}, {"a", ""}}));
  postings_.Add(6, Terms({{"a b", ""}}));
  EXPECT_THAT(postings_.Lengths(std::vector<PassageRange>{{1, 7}}),
              ElementsAre(3, 0, 1, 0, 0, 2, 0));
  EXPECT_THAT(postings_.Lengths(std::vector<PassageRange>{{3, 3}, {2, 1}, {5, 6}}),
              ElementsAre(1, 0, 2));
  EXPECT_THAT(postings_.Lengths({}), IsEmpty());
}

TEST_F(SqlitePostingsTest, RemovedPassagesLeaveNoPosting) {
  const auto kept = Terms({{"cat", ""}});
  const auto gone = Terms({{"cat bird", "cat"}, {"bird", ""}});
  postings_.Add(1, kept);
  postings_.Add(2, gone);
  postings_.Remove(2, gone);
  EXPECT_THAT(Of("cat", {{1, 9}}), ElementsAre("1:1/0"));
  EXPECT_THAT(Of("bird", {{1, 9}}), IsEmpty());
  EXPECT_THAT(postings_.Lengths(std::vector<PassageRange>{{1, 3}}), ElementsAre(1, 0, 0));
  postings_.Clear();
  EXPECT_THAT(Of("cat", {{1, 9}}), IsEmpty());
  EXPECT_THAT(postings_.Lengths(std::vector<PassageRange>{{1, 1}}), ElementsAre(0));
}

}  // namespace
}  // namespace tome
