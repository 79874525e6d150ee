#include "tome/answer/shown.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tome/retrieval/question.h"
#include "tome/text/analyzer.h"
#include "tome/text/unicode.h"

namespace tome {

uint64_t Shown::characters() const {
  uint64_t count = 0;
  for (const ShownPart& part : parts) count += CountCodePoints(part.text);
  return count;
}

Shown ShowDocuments(Library& library, std::span<const AskedDocument> documents) {
  Shown shown{.parts = {}, .whole = true};
  for (const AskedDocument& document : documents) {
    std::string text = library.Text(document.id);
    shown.parts.push_back({.document = document.id,
                           .span = {.begin = 0, .end = text.size()},
                           .text = std::move(text),
                           .section = {},
                           .score = 1});
  }
  return shown;
}

Shown ShowPassages(Library& library, std::span<const AskedDocument> documents,
                   std::string_view question_text, int64_t most_tokens,
                   const CountTokensOf& count) {
  const auto start = std::chrono::steady_clock::now();
  // More passages than any budget holds: the ranking beyond them does not matter.
  constexpr size_t kMostPassages = 256;
  Analyzer analyzer;
  const Question question = ParseQuestion(question_text, analyzer);
  std::vector<DocumentId> ids;
  for (const AskedDocument& document : documents) ids.push_back(document.id);
  LexicalResult found = library.Search(question.terms, ids, kMostPassages);

  Shown shown{.parts = {}, .idf = std::move(found.idf)};
  int64_t tokens = 0;
  for (const ScoredPassage& scored : found.passages) {
    const Library::PassageRecord passage = library.ReadPassage(scored.id);
    std::string text = library.Text(passage.document, passage.span);
    tokens += count(text);
    if (tokens > most_tokens && !shown.parts.empty()) break;
    shown.parts.push_back({.document = passage.document,
                           .span = passage.span,
                           .text = std::move(text),
                           .section = passage.section_path,
                           .score = scored.score});
  }
  std::sort(shown.parts.begin(), shown.parts.end(), [](const auto& a, const auto& b) {
    return a.document != b.document ? a.document < b.document : a.span.begin < b.span.begin;
  });
  shown.search_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return shown;
}

}  // namespace tome
