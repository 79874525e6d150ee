#include "tome/retrieval/retriever.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tome/retrieval/fusion.h"
#include "tome/retrieval/lexical_search.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Places of each list that are looked at, whatever the limit. A place further down would need a
// first rank in the other list, or beside it, to be shown.
constexpr size_t kFusedPlaces = 100;
// The weight of vectors (FuseByScores). On the development questions of bench/retrieval, English
// with bge-small-en gains up to 0.6 and stays there to 0.8, and Chinese with bge-small-zh loses from
// 0.6 on.
constexpr double kDenseWeight = 0.6;

// The share of a neighbour's score that counts for a passage. On the development questions of
// bench/retrieval, answers found in five quotes of 800 columns: 0.56 and 0.58 (English and Chinese)
// without it, 0.60 and 0.60 with a quarter, 0.60 and 0.62 with a half.
constexpr double kNeighborShare = 0.5;

// Returns the places of passages that a search by words found, best first. Of neighbors the better
// one counts, since an answer often stands beside the sentence that names the matter.
std::vector<FoundPlace> PlacesOf(std::span<const ScoredPassage> scored, PassageScore score,
                                 DocumentStore& documents) {
  std::vector<PassageId> ids;
  ids.reserve(scored.size());
  for (const ScoredPassage& passage : scored) ids.push_back(passage.id);
  const std::vector<StoredPassage> stored = documents.ReadPassages(ids);
  std::map<PassageId, size_t> index_of;
  for (size_t i = 0; i < ids.size(); ++i) index_of[ids[i]] = i;

  std::vector<FoundPlace> places;
  places.reserve(scored.size());
  for (size_t i = 0; i < scored.size(); ++i) {
    double neighbor = 0;
    for (const PassageId beside : {ids[i] - 1, ids[i] + 1}) {
      const auto found = index_of.find(beside);
      // The last passage of a document is no neighbor of the next document's first one.
      if (score == PassageScore::kOwn || found == index_of.end()) continue;
      if (stored[found->second].document != stored[i].document) continue;
      neighbor = std::max(neighbor, scored[found->second].score);
    }
    places.push_back({.document = stored[i].document,
                      .span = stored[i].span,
                      .focus = stored[i].span,
                      .section = stored[i].section,
                      .score = scored[i].score + kNeighborShare * neighbor,
                      .ranks = {}});
  }
  std::ranges::stable_sort(places, std::ranges::greater{}, &FoundPlace::score);
  for (size_t i = 0; i < places.size(); ++i) {
    places[i].ranks.lexical = {.rank = i + 1, .score = places[i].score};
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
  const size_t in_list = std::max(limit, kFusedPlaces);
  LexicalResult lexical =
      SearchByWords(store_.postings(), found.question.terms, RangesOf(scope), in_list);
  found.idf = std::move(lexical.idf);
  found.places = PlacesOf(lexical.passages, scope.score, store_.documents());
  if (dense) {
    found.places = FuseByScores(
        found.places, FindDense(found.question.text, scope, in_list, control), kDenseWeight);
  }
  found.places.resize(std::min(limit, found.places.size()));
  return found;
}

PlaceText Retriever::Read(const FoundPlace& place, uint64_t around) {
  DocumentStore& documents = store_.documents();
  const uint64_t text_bytes = documents.Read(place.document).text_bytes;
  TextSpan span{.begin = place.span.begin - std::min(around, place.span.begin),
                .end = std::max(place.span.end, std::min(place.span.end + around, text_bytes))};
  std::string text = documents.Text(place.document, span);
  // Both ends may lie within a character, which then is left out.
  uint64_t torn = 0;
  while (span.begin + torn < place.span.begin && (text[torn] & 0xC0) == 0x80) ++torn;
  text.erase(0, torn);
  span.begin += torn;
  if (span.end < text_bytes && span.end > place.span.end) {
    text.resize(FloorToCodePoint(text, text.size() - 1));
    span.end = span.begin + text.size();
  }
  PlaceText read{.span = span,
                 .text = std::move(text),
                 .section_path = documents.SectionPath(place.document, place.section),
                 .headings = {},
                 .section_begins = {},
                 .cut_before = span.begin > 0,
                 .cut_after = span.end < text_bytes};
  for (const Section& section : documents.SectionsBeginningIn(place.document, span)) {
    const uint64_t begin = section.span.begin;
    read.section_begins.push_back(begin);
    // A section may begin where its title does not stand in the text (a contents entry).
    if (read.text.compare(begin - span.begin, section.title.size(), section.title) == 0) {
      read.headings.push_back({.begin = begin, .end = begin + section.title.size()});
    }
  }
  return read;
}

}  // namespace tome
