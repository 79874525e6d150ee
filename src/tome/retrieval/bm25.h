// BM25 ranks passages by the terms of a question that they hold (Robertson and Zaragoza, "The
// Probabilistic Relevance Framework", 2009).
//
// The frequency f of a term is its count in the text plus its weighted count in the headings
// (section 3.6, simple BM25F):
//   score = Σ over query terms  weight · idf · f (k1 + 1) / (f + k1 · norm)
//   norm  = 1 − b + b · length / mean length
//   idf   = ln(1 + (N − n + 0.5) / (n + 0.5))
//   f     = f_text + kHeadingWeight · f_headings
// N passages are searched, and n of them hold the term. Scores depend only on the documents asked
// about: N, n and the mean length are those of the searched passages, not of the whole library. The
// length is that of the text, so headings do not count in it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tome/store/posting_store.h"

namespace tome {

// k1 and b as Anserini sets them for short passages: scores saturate early and length counts
// little.
inline constexpr double kBm25K1 = 0.9;
inline constexpr double kBm25B = 0.4;
inline constexpr double kHeadingWeight = 0.5;

// One term, or several that must follow each other (a phrase), and its weight in the score.
struct QueryTerm {
  std::string stream;  // the term, or the terms of the phrase (store/term_stream.h)
  double weight = 1.0;
  bool required = false;  // a passage without it is no result (quoted phrases)
};

struct ScoredPassage {
  PassageId id = 0;
  double score = 0;
};

struct LexicalResult {
  std::vector<ScoredPassage> passages;
  std::vector<double> idf;  // of each query term; empty if nothing was searched
};

// What is known of the searched passages and of the terms in them, as a PostingStore tells it.
struct Bm25Input {
  std::span<const QueryTerm> query;
  std::span<const PassageRange> ranges;            // disjoint and ascending
  std::span<const uint16_t> lengths;               // one range after the other; 0: no passage
  std::span<const std::vector<Posting>> postings;  // of each query term, in order of id
};

// Returns at most `limit` passages, the best first and equal scores in order of id. The cost is
// linear in the passages of the ranges and in the postings.
LexicalResult RankByBm25(const Bm25Input& input, size_t limit);

}  // namespace tome
