#include "tome/retrieval/lexical_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tome/retrieval/question.h"
#include "tome/store/fts5_extension.h"
#include "tome/store/sqlite_postings.h"
#include "tome/store/term_stream.h"

namespace tome {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Text {
  std::string text;
  std::string headings;
};

class LexicalSearchTest : public testing::Test {
 protected:
  struct Shelf {
    Database database = Database::Open(":memory:", std::chrono::milliseconds(0), {});
    std::unique_ptr<SqlitePostings> postings;
    Shelf() {
      RegisterFts5Extension(database);
      SqlitePostings::CreateTables(database);
      postings = std::make_unique<SqlitePostings>(database);
    }
    LexicalResult Search(std::span<const QueryTerm> query, std::span<const PassageRange> ranges,
                         size_t limit) const {
      return SearchByWords(*postings, query, ranges, limit);
    }
  };

  std::vector<PassageTerms> Analyze(const std::vector<Text>& texts) {
    std::vector<PassageTerms> passages;
    for (const Text& text : texts) {
      passages.push_back({.text = AnalyzeToStream(text.text, analyzer_),
                          .headings = AnalyzeToStream(text.headings, analyzer_)});
    }
    return passages;
  }
  void Add(Shelf& shelf, int64_t first, const std::vector<Text>& texts) {
    shelf.postings->Add(first, Analyze(texts));
  }
  void Remove(Shelf& shelf, int64_t first, const std::vector<Text>& texts) {
    shelf.postings->Remove(first, Analyze(texts));
  }
  QueryTerm Term(std::string_view phrase, double weight = 1, bool required = false) {
    return {.stream = PhraseStream(phrase, analyzer_), .weight = weight, .required = required};
  }
  static std::vector<int64_t> Ids(const LexicalResult& result) {
    std::vector<int64_t> ids;
    for (const ScoredPassage& passage : result.passages) ids.push_back(passage.id);
    return ids;
  }

  Analyzer analyzer_;
};

// Searches the texts themselves, word for word by the definition in the header. Each position holds
// the words that stand there, and phrases are looked for at one position after another.
class BruteForce {
 public:
  BruteForce(std::map<int64_t, Text> texts, Analyzer& analyzer)
      : texts_(std::move(texts)), analyzer_(analyzer) {}

  LexicalResult Search(const std::vector<QueryTerm>& query,
                       const std::vector<PassageRange>& ranges) {
    std::vector<int64_t> ids;
    for (const auto& [id, text] : texts_) {
      for (const PassageRange& range : ranges) {
        if (id >= range.first && id <= range.last) ids.push_back(id);
      }
    }
    double count = 0;
    double total = 0;
    for (const int64_t id : ids) {
      const auto length = static_cast<double>(Positions(texts_.at(id).text).size());
      total += length;
      if (length > 0) ++count;
    }
    const double mean = count > 0 ? total / count : 1;
    LexicalResult result;
    std::map<int64_t, double> scores;
    std::set<int64_t> excluded;
    for (const QueryTerm& term : query) {
      std::map<int64_t, double> frequencies;
      for (const int64_t id : ids) {
        const double frequency = Count(texts_.at(id).text, term.stream) +
                                 kHeadingWeight * Count(texts_.at(id).headings, term.stream);
        if (frequency > 0) frequencies[id] = frequency;
        if (frequency == 0 && term.required) excluded.insert(id);
      }
      const auto n = static_cast<double>(frequencies.size());
      const double idf = std::log(1 + (count - n + 0.5) / (n + 0.5));
      result.idf.push_back(idf);
      for (const auto& [id, f] : frequencies) {
        const auto length = static_cast<double>(Positions(texts_.at(id).text).size());
        scores[id] += term.weight * idf * f * (kBm25K1 + 1) /
                      (f + kBm25K1 * (1 - kBm25B + kBm25B * length / mean));
      }
    }
    for (const auto& [id, score] : scores) {
      if (!excluded.contains(id)) result.passages.push_back({.id = id, .score = score});
    }
    return result;
  }

 private:
  std::vector<std::set<std::string>> Positions(const std::string& text) {
    std::vector<std::set<std::string>> positions;
    analyzer_.Analyze(text, [&](const tome::Term& term) {
      if (term.kind != TermKind::kBigram) positions.emplace_back();
      positions.back().emplace(term.text);
    });
    return positions;
  }
  double Count(const std::string& text, std::string_view stream) {
    std::vector<std::string> phrase;
    std::string_view term;
    bool colocated = false;
    while (NextTerm(stream, term, colocated)) phrase.emplace_back(term);
    const auto positions = Positions(text);
    double count = 0;
    for (size_t at = 0; at + phrase.size() <= positions.size(); ++at) {
      bool stands = true;
      for (size_t i = 0; i < phrase.size(); ++i) stands &= positions[at + i].contains(phrase[i]);
      if (stands) ++count;
    }
    return count;
  }

  std::map<int64_t, Text> texts_;
  Analyzer& analyzer_;
};

std::string RandomWords(std::mt19937& random, size_t words) {
  static constexpr const char* kWords[] = {"cat",  "dog",  "bird", "running", "10,000",
                                           "软件", "管理", "包",   "库",      "Tom's"};
  std::string text;
  for (size_t i = 0; i < words; ++i) {
    text += kWords[std::min(random() % std::size(kWords), random() % std::size(kWords))];
    if (random() % 3 != 0) text += " ";
  }
  return text;
}

TEST_F(LexicalSearchTest, ScoresAsTheFormulaDoesByHand) {
  Shelf shelf;
  Add(shelf, 1, {{"cat dog", ""}, {"bird bird bird bird", ""}});
  // The values are N = 2, n = 1, f = 1, length 2 and mean length 3.
  const double idf = std::log(1 + 1.5 / 1.5);
  const double score = idf * 1.9 / (1 + 0.9 * (0.6 + 0.4 * 2 / 3));
  const LexicalResult result =
      shelf.Search(std::vector{Term("cat")}, std::vector<PassageRange>{{1, 2}}, 10);
  ASSERT_THAT(Ids(result), ElementsAre(1));
  EXPECT_DOUBLE_EQ(result.passages[0].score, score);
  EXPECT_THAT(result.idf, ElementsAre(testing::DoubleEq(idf)));
}

TEST_F(LexicalSearchTest, AgreesWithTheDefinitionOnRandomCorpora) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    std::mt19937 random(seed);
    Shelf shelf;
    std::map<int64_t, Text> texts;
    std::vector<PassageRange> ranges;
    int64_t next = 1;
    const auto documents = 1 + random() % 4;
    for (uint64_t d = 0; d < documents; ++d) {
      std::vector<Text> document;
      const auto passages = 1 + random() % 12;
      for (uint64_t p = 0; p < passages; ++p) {
        document.push_back(
            {RandomWords(random, 1 + random() % 15), RandomWords(random, random() % 4)});
        texts[next + static_cast<int64_t>(p)] = document.back();
      }
      // A document is added in one batch or in two, as the indexer does.
      const size_t cut = random() % (document.size() + 1);
      Add(shelf, next, {document.begin(), document.begin() + static_cast<ptrdiff_t>(cut)});
      Add(shelf, next + static_cast<int64_t>(cut),
          {document.begin() + static_cast<ptrdiff_t>(cut), document.end()});
      if (random() % 4 != 0) ranges.push_back({next, next + static_cast<int64_t>(passages) - 1});
      next += static_cast<int64_t>(passages + random() % 3);  // removed ids leave gaps
    }
    std::vector<QueryTerm> query;
    std::set<std::string> streams;
    for (uint64_t t = 0; t < 1 + random() % 4; ++t) {
      QueryTerm term = Term(RandomWords(random, 1 + random() % 2),
                            1 + static_cast<double>(random() % 3), random() % 5 == 0);
      if (streams.insert(term.stream).second) query.push_back(term);
    }
    BruteForce brute_force(texts, analyzer_);
    const LexicalResult expected = brute_force.Search(query, ranges);
    const LexicalResult found = shelf.Search(query, ranges, 1000);
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    if (!ranges.empty()) {
      ASSERT_EQ(found.idf.size(), expected.idf.size());
      for (size_t i = 0; i < found.idf.size(); ++i)
        EXPECT_NEAR(found.idf[i], expected.idf[i], 1e-12);
    }
    std::map<int64_t, double> scores;
    for (const ScoredPassage& passage : expected.passages) scores[passage.id] = passage.score;
    ASSERT_EQ(found.passages.size(), scores.size());
    for (size_t i = 0; i < found.passages.size(); ++i) {
      const ScoredPassage& passage = found.passages[i];
      ASSERT_TRUE(scores.contains(passage.id));
      EXPECT_NEAR(passage.score, scores[passage.id], 1e-12);
      if (i == 0) continue;
      const ScoredPassage& better = found.passages[i - 1];
      EXPECT_TRUE(better.score > passage.score ||
                  (better.score == passage.score && better.id < passage.id));
    }
    // A limit keeps the best passages.
    const size_t limit = 1 + random() % 5;
    const LexicalResult few = shelf.Search(query, ranges, limit);
    ASSERT_EQ(few.passages.size(), std::min(limit, found.passages.size()));
    for (size_t i = 0; i < few.passages.size(); ++i) {
      EXPECT_EQ(few.passages[i].id, found.passages[i].id);
    }
  }
}

TEST_F(LexicalSearchTest, EqualPassagesComeInOrderOfTheirIds) {
  Shelf shelf;
  Add(shelf, 1, {{"cat dog", ""}, {"cat dog", ""}, {"cat cat", ""}, {"cat dog", ""}});
  EXPECT_THAT(Ids(shelf.Search(std::vector{Term("cat")}, std::vector<PassageRange>{{1, 4}}, 3)),
              ElementsAre(3, 1, 2));
}

TEST_F(LexicalSearchTest, WhatLiesOutsideTheRangesChangesNoScore) {
  Shelf alone;
  Shelf crowded;
  const std::vector<Text> document = {{"cat dog", "bird"}, {"dog dog cat", ""}, {"bird", ""}};
  Add(alone, 10, document);
  Add(crowded, 1, {{"cat cat cat", "cat"}, {"dog", ""}});
  Add(crowded, 10, document);
  Add(crowded, 13, {{"bird cat", ""}});
  const std::vector query{Term("cat"), Term("bird")};
  const std::vector<PassageRange> range{{10, 12}};
  const LexicalResult expected = alone.Search(query, range, 10);
  const LexicalResult found = crowded.Search(query, range, 10);
  EXPECT_EQ(found.idf, expected.idf);
  ASSERT_EQ(Ids(found), Ids(expected));
  for (size_t i = 0; i < found.passages.size(); ++i) {
    EXPECT_EQ(found.passages[i].score, expected.passages[i].score);
  }
}

TEST_F(LexicalSearchTest, WhatWasRemovedIsAsIfItHadNeverBeen) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    Shelf never;
    Shelf removed;
    std::vector<Text> kept;
    std::vector<Text> gone;
    for (int i = 0; i < 8; ++i) {
      kept.push_back({RandomWords(random, random() % 10), RandomWords(random, random() % 3)});
      gone.push_back({RandomWords(random, random() % 10), RandomWords(random, random() % 3)});
    }
    Add(never, 1, kept);
    Add(removed, 1, kept);
    Add(removed, 9, gone);
    Remove(removed, 9, gone);
    const std::vector query{Term("cat"), Term("软件"), Term("dog bird")};
    const std::vector<PassageRange> range{{1, 100}};
    const LexicalResult expected = never.Search(query, range, 100);
    const LexicalResult found = removed.Search(query, range, 100);
    EXPECT_EQ(found.idf, expected.idf) << "seed " << seed;
    EXPECT_EQ(Ids(found), Ids(expected)) << "seed " << seed;
    // The ids of the removed passages are free again.
    Add(removed, 9, gone);
    Remove(removed, 9, gone);
    EXPECT_EQ(Ids(removed.Search(query, range, 100)), Ids(expected)) << "seed " << seed;
  }
}

TEST_F(LexicalSearchTest, ClearTakesEverythingOut) {
  Shelf shelf;
  Add(shelf, 1, {{"cat", "dog"}});
  shelf.postings->Clear();
  EXPECT_THAT(Ids(shelf.Search(std::vector{Term("cat"), Term("dog")},
                               std::vector<PassageRange>{{1, 9}}, 9)),
              IsEmpty());
  Add(shelf, 1, {{"cat", ""}});
  EXPECT_THAT(Ids(shelf.Search(std::vector{Term("cat")}, std::vector<PassageRange>{{1, 9}}, 9)),
              ElementsAre(1));
}

TEST_F(LexicalSearchTest, NothingToSearchGivesNothing) {
  Shelf shelf;
  Add(shelf, 1, {{"cat", ""}});
  Add(shelf, 5, {});
  const std::vector query{Term("cat")};
  EXPECT_THAT(Ids(shelf.Search(query, std::vector<PassageRange>{}, 9)), IsEmpty());
  EXPECT_THAT(Ids(shelf.Search(query, std::vector<PassageRange>{{3, 2}}, 9)), IsEmpty());
  EXPECT_THAT(Ids(shelf.Search(query, std::vector<PassageRange>{{1, 1}}, 0)), IsEmpty());
  EXPECT_THAT(Ids(shelf.Search(std::vector<QueryTerm>{}, std::vector<PassageRange>{{1, 1}}, 9)),
              IsEmpty());
}

TEST_F(LexicalSearchTest, ALengthBeyondSixteenBitsIsSaturated) {
  Shelf shelf;
  std::string text;
  for (int i = 0; i < 70'000; ++i) text += "a ";
  Add(shelf, 1, {{text + "cat", ""}, {"dog", ""}});
  const LexicalResult result =
      shelf.Search(std::vector{Term("cat")}, std::vector<PassageRange>{{1, 2}}, 9);
  const double mean = (65535.0 + 1) / 2;
  const double idf = std::log(2.0);
  ASSERT_EQ(result.passages.size(), 1U);
  EXPECT_NEAR(result.passages[0].score, idf * 1.9 / (1 + 0.9 * (0.6 + 0.4 * 65535 / mean)), 1e-12);
}

// A large scope is read by two connections outside a transaction, and by one inside. The result is
// the same.
TEST(LexicalSearchThreadsTest, TwoConnectionsFindWhatOneFinds) {
  const auto path = std::filesystem::path(testing::TempDir()) /
                    ("tome-two-connections-" + std::to_string(::getpid()) + ".db");
  {
    Database database = Database::Open(path, std::chrono::milliseconds(1000), {});
    RegisterFts5Extension(database);
    SqlitePostings::CreateTables(database);
    SqlitePostings postings(database);
    Analyzer analyzer;
    std::mt19937 random(7);
    std::vector<PassageTerms> passages;
    for (int i = 0; i < 20000; ++i) {
      std::string text = "common";
      for (int w = 0; w < 3; ++w) text += " word" + std::to_string(random() % 500);
      passages.push_back({.text = AnalyzeToStream(text, analyzer), .headings = {}});
    }
    Transaction writing(database);
    postings.Add(1, passages);
    writing.Commit();
    std::vector<QueryTerm> query;
    for (const char* word : {"common", "word1", "word22", "word333", "absent"}) {
      query.push_back({.stream = AnalyzeToStream(word, analyzer).stream});
    }
    const PassageRange all{.first = 1, .last = 20000};
    const LexicalResult parallel = SearchByWords(postings, query, {&all, 1}, 50);
    const Transaction reading(database);
    const LexicalResult single = SearchByWords(postings, query, {&all, 1}, 50);
    EXPECT_EQ(parallel.idf, single.idf);
    ASSERT_EQ(parallel.passages.size(), 50U);
    ASSERT_EQ(single.passages.size(), 50U);
    for (size_t i = 0; i < 50; ++i) {
      EXPECT_EQ(parallel.passages[i].id, single.passages[i].id);
      EXPECT_EQ(parallel.passages[i].score, single.passages[i].score);
    }
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace tome
