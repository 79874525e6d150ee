// PostingStore keeps the postings of the passages: which passages hold which terms, how often, and
// how many terms each passage has. It counts and does not score (retrieval/bm25.h).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tome/store/document_store.h"
#include "tome/store/term_stream.h"

namespace tome {

// The terms of one passage that are indexed.
struct PassageTerms {
  AnalyzedText text;
  AnalyzedText headings;  // the path of its sections
};

// Counts how often a phrase occurs in one passage.
struct Posting {
  PassageId id = 0;
  int32_t in_text = 0;
  int32_t in_headings = 0;
};

class PostingStore {
 public:
  virtual ~PostingStore() = default;

  // Indexes the passages `first`, `first` + 1, …, which must not be indexed yet.
  virtual void Add(PassageId first, std::span<const PassageTerms> passages) = 0;
  // Removes the passages `first`, `first` + 1, …. A store holds no text and finds what to remove by
  // the terms, so `first` and `passages` must equal those of an earlier Add.
  virtual void Remove(PassageId first, std::span<const PassageTerms> passages) = 0;
  virtual void Clear() = 0;

  // Returns for each phrase its postings in the ranges, in order of id. A phrase is one term, or
  // several that follow each other, as a term stream. The ranges must be disjoint and ascending.
  virtual std::vector<std::vector<Posting>> Postings(std::span<const std::string_view> phrases,
                                                     std::span<const PassageRange> ranges) = 0;
  // Returns the number of term positions in the text of each passage, one range after the other, at
  // most 65535. It is 0 for a number that no indexed passage has.
  virtual std::vector<uint16_t> Lengths(std::span<const PassageRange> ranges) = 0;
};

}  // namespace tome
