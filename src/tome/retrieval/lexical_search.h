// Searches passages by words: postings of a store, ranked by BM25.
#pragma once

#include <span>

#include "tome/retrieval/bm25.h"
#include "tome/store/posting_store.h"

namespace tome {

// Returns at most `limit` passages of the ranges, the best first. The ranges must be disjoint and
// ascending.
LexicalResult SearchByWords(PostingStore& store, std::span<const QueryTerm> query,
                            std::span<const PassageRange> ranges, size_t limit);

}  // namespace tome
