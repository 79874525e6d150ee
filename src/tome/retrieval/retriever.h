// Retriever finds the places of documents that a question is about.
//
// Finding and reading are two steps, because a caller often reads only the best of many places:
//
//   Retriever retriever(store, analyzer);
//   const Found found = retriever.Find("Who lit the lamp?", {.documents = ids}, 20);
//   for (const FoundPlace& place : found.places) Show(retriever.Read(place).text);
//
// A retriever searches by words and, where it is given vectors, by meaning too, and joins what both
// found (retrieval/fusion.h).
//
// All that a retriever is given must outlive it. One thread at a time.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/progress.h"
#include "tome/documents/document.h"
#include "tome/retrieval/dense_search.h"
#include "tome/retrieval/question.h"
#include "tome/store/store.h"
#include "tome/text/analyzer.h"

namespace tome {

// Says what the score of a passage by words counts.
enum class PassageScore {
  kOwn,           // its own words: for a reader who is shown passages as they are
  kWithNeighbors  // a share of its neighbors' too: for quotes, which grow into these
};

// Says what is searched, and how.
struct SearchScope {
  std::span<const DocumentId> documents = {};  // empty: all; a document may be named twice
  PassageScore score = PassageScore::kOwn;
};

// The place of something in a list of results.
struct ListRank {
  size_t rank = 1;  // from 1
  double score = 0;
};

// Where a place stood in each list that was made. A list that did not hold it, or was not made, has
// no rank.
struct PlaceRanks {
  std::optional<ListRank> lexical = {};  // by words (bm25.h)
  std::optional<ListRank> dense = {};    // by vectors
  std::optional<ListRank> fused = {};
  std::optional<ListRank> reranked = {};
};

struct FoundPlace {
  DocumentId document = 0;
  TextSpan span;                // of the document's text
  TextSpan focus;               // the passage in the span that words found, or all of the span
  int64_t section = kNoParent;  // index of DocumentStore::Sections
  double score = 0;             // of the last list; comparable within one search only
  PlaceRanks ranks;
};

struct Found {
  Question question;
  // Of each of question.terms, among the searched passages. Empty where nothing was searched.
  std::vector<double> idf;
  std::vector<FoundPlace> places;  // best first
};

// What stands at a place, and around it.
struct PlaceText {
  TextSpan span;                         // of the document's text
  std::string text;                      // exactly the bytes of the span
  std::string section_path;              // "Part > Chapter"; empty outside any section
  std::vector<TextSpan> headings;        // heading lines in the span, as spans of the document
  std::vector<uint64_t> section_begins;  // offsets in the document where sections begin, ascending
  bool cut_before = false;               // the document goes on before the span
  bool cut_after = false;
};

class Retriever {
 public:
  // With `dense` null, the search is by words alone.
  Retriever(Store& store, Analyzer& analyzer, const DenseSearch* dense = nullptr)
      : store_(store), analyzer_(analyzer), dense_(dense) {}

  // Returns at most `limit` places of the scope. A quoted phrase must stand in a place, so such a
  // question is searched by words alone. Throws the errors of ParseQuestion, and Error(kNotFound)
  // for an unknown document.
  Found Find(std::string_view question, const SearchScope& scope, size_t limit,
             const WorkControl& control = {});

  // Reads a place, and up to `around` bytes of the document on each side of it. Throws
  // Error(kCorrupt) where the store is damaged.
  PlaceText Read(const FoundPlace& place, uint64_t around = 0);

 private:
  // Returns the windows that vectors found.
  std::vector<FoundPlace> FindDense(std::string_view question, const SearchScope& scope,
                                    size_t limit, const WorkControl& control);
  // Returns the passages of a scope as disjoint, ascending ranges.
  std::vector<PassageRange> RangesOf(const SearchScope& scope);

  Store& store_;
  Analyzer& analyzer_;
  const DenseSearch* dense_;
};

}  // namespace tome
