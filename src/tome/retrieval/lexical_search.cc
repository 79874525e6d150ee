#include "tome/retrieval/lexical_search.h"

#include <string_view>
#include <vector>

namespace tome {

LexicalResult SearchByWords(PostingStore& store, std::span<const QueryTerm> query,
                            std::span<const PassageRange> ranges, size_t limit) {
  if (query.empty() || limit == 0) return {};
  const std::vector<uint16_t> lengths = store.Lengths(ranges);
  std::vector<std::string_view> phrases;
  for (const QueryTerm& term : query) phrases.emplace_back(term.stream);
  const std::vector<std::vector<Posting>> postings = store.Postings(phrases, ranges);
  return RankByBm25({.query = query, .ranges = ranges, .lengths = lengths, .postings = postings},
                    limit);
}

}  // namespace tome
