// The lexical index: which passages hold which terms, ranked by BM25.
//
// Stored in the tables of one SQLite database:
//   lexical           FTS5, contentless, detail=full: one row a passage, columns `text` and
//   `headings` lexical_lengths   (first_passage, lengths): for a run of passages, the number of
//   term positions of
//                     each as 16-bit little-endian numbers (saturated)
// FTS5 gives the postings; scores are computed here, because they must depend on nothing but the
// documents asked about: the number of passages, their mean length and each term's document
// frequency are those of the scope of the search, not of the whole library.
//
// BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) with the frequency
// of a term in the headings added to that in the text (section 3.6, simple BM25F):
//   score = Σ over query terms  weight · idf · f (k1 + 1) / (f + k1 (1 − b + b · length / mean
//   length)) idf   = ln(1 + (N − n + 0.5) / (n + 0.5)),   f = f_text + kHeadingWeight · f_headings
//
// Writing happens inside the caller's transaction. One object a connection and thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tome/base/sqlite.h"
#include "tome/retrieval/term_stream.h"

namespace tome {

// k1 and b as Anserini uses them for short passages: they saturate early and punish length little.
inline constexpr double kBm25K1 = 0.9;
inline constexpr double kBm25B = 0.4;
inline constexpr double kHeadingWeight = 0.5;

// What is indexed of one passage.
struct PassageTerms {
  AnalyzedText text;
  AnalyzedText headings;  // the path of its sections
};

// Passages first to last, both included; empty when last < first.
struct PassageRange {
  int64_t first = 0;
  int64_t last = -1;

  friend bool operator==(const PassageRange&, const PassageRange&) = default;
};

// One term, or several that must follow each other (a phrase), and how much it counts.
struct QueryTerm {
  std::string stream;  // term stream of the phrase
  double weight = 1.0;
  bool required = false;  // a passage without it is no result (a quoted phrase)
};

struct ScoredPassage {
  int64_t id = 0;
  double score = 0;
};

struct LexicalResult {
  std::vector<ScoredPassage> passages;
  std::vector<double> idf;  // of each query term, in the scope searched
};

class LexicalIndex {
 public:
  // Creates the tables in a new database.
  static void CreateTables(Database& database);

  // The database must outlive the index and carry the FTS5 extension.
  explicit LexicalIndex(Database& database);

  // Indexes passages `first`, `first` + 1, …; ids are new.
  void Add(int64_t first, std::span<const PassageTerms> passages);

  // Takes passages out again; `passages` must be exactly what Add was given.
  void Remove(int64_t first, std::span<const PassageTerms> passages);

  // Takes every passage out.
  void Clear();

  // The `limit` best passages of the ranges (disjoint), best first, ties in order of id.
  // O(postings of the terms in the ranges); a large scope is read by two threads.
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
