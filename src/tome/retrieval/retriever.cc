#include "tome/retrieval/retriever.h"

#include <algorithm>
#include <utility>

#include "tome/retrieval/lexical_search.h"

namespace tome {
namespace {

// Returns the places of passages that a search by words found.
std::vector<FoundPlace> PlacesOf(std::span<const ScoredPassage> scored, DocumentStore& documents) {
  std::vector<PassageId> ids;
  ids.reserve(scored.size());
  for (const ScoredPassage& passage : scored) ids.push_back(passage.id);
  std::vector<FoundPlace> places;
  places.reserve(scored.size());
  for (const StoredPassage& passage : documents.ReadPassages(ids)) {
    const ListRank lexical{.rank = places.size() + 1, .score = scored[places.size()].score};
    places.push_back({.document = passage.document,
                      .span = passage.span,
                      .section = passage.section,
                      .score = lexical.score,
                      .ranks = {.lexical = lexical}});
  }
  return places;
}

}  // namespace

std::vector<PassageRange> Retriever::RangesOf(const SearchScope& scope) {
  DocumentStore& documents = store_.documents();
  if (scope.documents.empty()) return {documents.AllPassages()};
  std::vector<PassageRange> ranges;
  for (const DocumentId id : scope.documents) ranges.push_back(documents.Read(id).passages);
  std::ranges::sort(ranges, {}, &PassageRange::first);
  // A document may be named twice.
  ranges.erase(std::unique(ranges.begin(), ranges.end()), ranges.end());
  return ranges;
}

Found Retriever::Find(std::string_view question, const SearchScope& scope, size_t limit) {
  Found found{.question = ParseQuestion(question, analyzer_), .idf = {}, .places = {}};
  LexicalResult lexical =
      SearchByWords(store_.postings(), found.question.terms, RangesOf(scope), limit);
  found.idf = std::move(lexical.idf);
  found.places = PlacesOf(lexical.passages, store_.documents());
  return found;
}

PlaceText Retriever::Read(const FoundPlace& place) {
  DocumentStore& documents = store_.documents();
  PlaceText read{.text = documents.Text(place.document, place.span),
                 .section_path = documents.SectionPath(place.document, place.section),
                 .headings = {}};
  for (const Section& section : documents.SectionsBeginningIn(place.document, place.span)) {
    // A section may begin where its title does not stand in the text (a contents entry).
    const uint64_t begin = section.span.begin;
    if (read.text.compare(begin - place.span.begin, section.title.size(), section.title) == 0) {
      read.headings.push_back({.begin = begin, .end = begin + section.title.size()});
    }
  }
  return read;
}

}  // namespace tome
