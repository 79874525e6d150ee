#include "tome/retrieval/retriever.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tome/retrieval/fusion.h"
#include "tome/retrieval/lexical_search.h"

namespace tome {
namespace {

// Places of each list that are fused. A place further down would need a first rank in the other
// list to be shown.
constexpr size_t kFusedPlaces = 100;
// The weight of vectors (FuseByScores). With bge-small-en, 0.7 and 0.8 found most answers to
// eighteen of the development questions of bench/retrieval.
constexpr double kDenseWeight = 0.7;

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
                      .focus = passage.span,
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

std::vector<FoundPlace> Retriever::FindDense(std::string_view question, const SearchScope& scope,
                                             size_t limit, const WorkControl& control) {
  std::map<DocumentId, std::vector<Section>> sections;
  std::vector<FoundPlace> places;
  for (const FoundWindow& window : dense_->Find(question, scope.documents, limit, control)) {
    const auto [known, is_new] = sections.try_emplace(window.document);
    if (is_new) known->second = store_.documents().Sections(window.document);
    const ListRank dense{.rank = places.size() + 1, .score = window.cosine};
    places.push_back({.document = window.document,
                      .span = window.span,
                      .focus = window.span,
                      .section = SectionAt(known->second, window.span.begin),
                      .score = dense.score,
                      .ranks = {.dense = dense}});
  }
  return places;
}

Found Retriever::Find(std::string_view question, const SearchScope& scope, size_t limit,
                      const WorkControl& control) {
  Found found{.question = ParseQuestion(question, analyzer_), .idf = {}, .places = {}};
  const bool dense = dense_ != nullptr && found.question.phrases.empty();
  const size_t in_list = dense ? std::max(limit, kFusedPlaces) : limit;
  LexicalResult lexical =
      SearchByWords(store_.postings(), found.question.terms, RangesOf(scope), in_list);
  found.idf = std::move(lexical.idf);
  found.places = PlacesOf(lexical.passages, store_.documents());
  if (dense) {
    found.places = FuseByScores(
        found.places, FindDense(found.question.text, scope, in_list, control), kDenseWeight);
    found.places.resize(std::min(limit, found.places.size()));
  }
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
