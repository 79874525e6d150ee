// The lexical index tells which passages hold which terms and ranks them by BM25.
//
// Its tables are in one SQLite database:
//   lexical          FTS5, contentless, detail=full: one row a passage, with the columns `text` and
//                    `headings`
//   lexical_lengths  (first_passage, lengths): one row for the passages of one Add. `lengths` has
//                    the number of term positions in each passage's text, as 16-bit little-endian
//                    numbers (at most 65535)
// FTS5 gives the postings, and this class computes the scores, because they must depend only on the
// documents asked about. The number of passages, their mean length and the document frequency of
// each term are those of the searched passages, not of the whole library.
//
// The score is BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009). The
// frequency f of a term is its count in the text plus its weighted count in the headings (section
// 3.6, simple BM25F):
//   score = Σ over query terms  weight · idf · f (k1 + 1) / (f + k1 · norm)
//   norm  = 1 − b + b · length / mean length
//   idf   = ln(1 + (N − n + 0.5) / (n + 0.5))
//   f     = f_text + kHeadingWeight · f_headings
// N passages are searched, and n of them hold the term. The length is that in lexical_lengths, so
// headings do not count in it.
//
// Add, Remove and Clear begin no transaction; the caller does. Each connection needs its own
// object, which belongs to one thread at a time, as the connection does.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tome/base/sqlite.h"
#include "tome/retrieval/term_stream.h"

namespace tome {

// k1 and b as Anserini sets them for short passages: scores saturate early and length counts
// little.
inline constexpr double kBm25K1 = 0.9;
inline constexpr double kBm25B = 0.4;
inline constexpr double kHeadingWeight = 0.5;

// The terms of one passage that are indexed.
struct PassageTerms {
  AnalyzedText text;
  AnalyzedText headings;  // the path of its sections
};

// The passages `first` to `last`, both included. The range is empty where last < first.
struct PassageRange {
  int64_t first = 0;
  int64_t last = -1;

  friend bool operator==(const PassageRange&, const PassageRange&) = default;
};

// One term, or several that must follow each other (a phrase), and its weight in the score.
struct QueryTerm {
  std::string stream;  // the term, or the terms of the phrase (term_stream.h)
  double weight = 1.0;
  bool required = false;  // a passage without it is no result (quoted phrases)
};

struct ScoredPassage {
  int64_t id = 0;
  double score = 0;
};

struct LexicalResult {
  std::vector<ScoredPassage> passages;
  std::vector<double> idf;  // of each query term; empty if nothing was searched
};

class LexicalIndex {
 public:
  // Creates the tables in a new database.
  static void CreateTables(Database& database);

  // The database must outlive the index and carry the FTS5 extension.
  explicit LexicalIndex(Database& database);

  // Indexes the passages `first`, `first` + 1, …, whose ids must be new.
  void Add(int64_t first, std::span<const PassageTerms> passages);

  // Removes the passages `first`, `first` + 1, …. The index holds no text and finds what to remove
  // by the terms, so `first` and `passages` must equal those of an earlier Add.
  void Remove(int64_t first, std::span<const PassageTerms> passages);

  void Clear();

  // Returns at most `limit` passages, the best first and equal scores in order of id. The ranges
  // must be disjoint and ascending. The cost is linear in the passages of the ranges and in the
  // postings that the query terms have there. Where the passages are many, a second thread with a
  // connection of its own reads half of the terms.
  LexicalResult Search(std::span<const QueryTerm> query, std::span<const PassageRange> ranges,
                       size_t limit);

 private:
  Database& database_;
  Statement insert_;
  Statement delete_;
  Statement insert_lengths_;
  Statement delete_lengths_;
  Statement read_lengths_;
  Statement postings_;
};

}  // namespace tome
