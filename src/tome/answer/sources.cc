#include "tome/answer/sources.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tome/retrieval/retriever.h"
#include "tome/text/analyzer.h"
#include "tome/text/unicode.h"

namespace tome {

uint64_t Sources::characters() const {
  uint64_t count = 0;
  for (const SourceText& part : parts) count += CountCodePoints(part.text);
  return count;
}

Sources WholeDocuments(Library& library, std::span<const NamedDocument> documents) {
  Sources sources{.parts = {}, .whole = true};
  for (const NamedDocument& document : documents) {
    std::string text = library.Text(document.id);
    sources.parts.push_back({.document = document.id,
                             .span = {.begin = 0, .end = text.size()},
                             .text = std::move(text),
                             .section = {},
                             .score = 1});
  }
  return sources;
}

namespace {

// Joins parts that overlap; windows begin with the last sentences of the one before. `parts` are in
// the order of the documents.
void JoinOverlapping(std::vector<SourceText>& parts) {
  std::vector<SourceText> joined;
  for (SourceText& part : parts) {
    SourceText* before = joined.empty() ? nullptr : &joined.back();
    if (before == nullptr || before->document != part.document ||
        part.span.begin >= before->span.end) {
      joined.push_back(std::move(part));
      continue;
    }
    before->score = std::max(before->score, part.score);
    if (part.span.end <= before->span.end) continue;
    before->text += part.text.substr(before->span.end - part.span.begin);
    before->span.end = part.span.end;
  }
  parts = std::move(joined);
}

}  // namespace

Sources FindPassages(Library& library, std::span<const NamedDocument> documents,
                     std::string_view question, int64_t most_tokens, const CountTokensOf& count,
                     const DenseSearch* dense) {
  const auto start = std::chrono::steady_clock::now();
  // No budget holds more, so the ranking of further passages does not matter.
  constexpr size_t kMostPassages = 256;
  Analyzer analyzer;
  const std::vector<DocumentId> ids = IdsOf(documents);
  Retriever retriever(library.store(), analyzer, dense);
  Found found = retriever.Find(question, {.documents = ids}, kMostPassages);

  Sources sources{.parts = {}, .idf = std::move(found.idf)};
  int64_t tokens = 0;
  for (const FoundPlace& place : found.places) {
    PlaceText read = retriever.Read(place);
    tokens += count(read.text);
    if (tokens > most_tokens && !sources.parts.empty()) break;
    sources.parts.push_back({.document = place.document,
                             .span = place.span,
                             .text = std::move(read.text),
                             .section = std::move(read.section_path),
                             .score = place.score});
  }
  std::sort(sources.parts.begin(), sources.parts.end(), [](const auto& a, const auto& b) {
    return a.document != b.document ? a.document < b.document : a.span.begin < b.span.begin;
  });
  JoinOverlapping(sources.parts);
  sources.search_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return sources;
}

}  // namespace tome
