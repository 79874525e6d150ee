#include "tome/answer/quotes.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "tome/answer/document_names.h"
#include "tome/base/error.h"
#include "tome/retrieval/duplicates.h"
#include "tome/retrieval/excerpt.h"
#include "tome/retrieval/retriever.h"
#include "tome/text/analyzer.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Passages looked at for each quote, because some turn out to be duplicates.
constexpr size_t kCandidatesPerQuote = 4;

Citation Cite(Library& library, const FoundPlace& place, PlaceText read,
              std::span<const TermValue> terms, Excerpter& excerpter, DocumentNames& names) {
  // Offsets in this function count from the beginning of the place.
  const uint64_t base = place.span.begin;
  for (TextSpan& heading : read.headings) heading = {heading.begin - base, heading.end - base};
  // Words tell which sentences of a passage answer. What meaning found is shown whole.
  const TextSpan part =
      place.ranks.dense
          ? TextSpan{.begin = 0, .end = read.text.size()}
          : excerpter.Trim(read.text, {.begin = 0, .end = read.text.size()}, read.headings,
                           names.Record(place.document).line_breaks, terms);
  Citation citation{.document_id = place.document,
                    .document = names.Name(place.document),
                    .page = std::nullopt,
                    .page_label = {},
                    .section = std::nullopt,
                    .span = {.begin = base + part.begin, .end = base + part.end},
                    .quote = read.text.substr(part.begin, part.size()),
                    .score = place.score,
                    .ranks = place.ranks};
  if (auto page = library.PageOf(place.document, citation.span.begin)) {
    citation.page = page->number;
    citation.page_label = std::move(page->label);
  }
  if (!read.section_path.empty()) citation.section = std::move(read.section_path);
  return citation;
}

std::string Worded(WhyQuotes why) {
  return why == WhyQuotes::kAskedFor
             ? "asked for"
             : "no model was given, so the best passages themselves are the answer";
}

std::string NothingFound(const Question& question) {
  if (!question.phrases.empty()) {
    return fmt::format(
        "no passage holds the quoted phrase \"{}\"; leave the quotation marks out to "
        "search for its words",
        fmt::join(question.phrases, "\", \""));
  }
  return "no passage holds any of the question's words; ask with other words";
}

}  // namespace

Answer AnswerWithQuotes(Library& library, const std::string& question_text,
                        std::span<const NamedDocument> documents, const QuotesOptions& options,
                        const WorkControl& control) {
  const auto start = std::chrono::steady_clock::now();
  TOME_CHECK(options.top >= 1 && options.top <= kMaxQuotes);
  const auto top = static_cast<size_t>(options.top);
  Analyzer analyzer;
  const std::vector<DocumentId> ids = IdsOf(documents);
  Retriever retriever(library.store(), analyzer, options.dense);
  const Found found =
      retriever.Find(question_text, {.documents = ids}, top * kCandidatesPerQuote, control);
  const Question& question = found.question;

  std::vector<TermValue> terms;
  for (size_t i = 0; i < question.terms.size() && i < found.idf.size(); ++i) {
    terms.push_back(
        {.stream = question.terms[i].stream, .value = question.terms[i].weight * found.idf[i]});
  }
  DocumentNames names(library, documents);
  Excerpter excerpter(analyzer);
  const DocumentsSize size = SizeOf(library, documents, names);
  Answer answer{.question = question.text,
                .way = "quotes",
                .why = Worded(options.why),
                .text = {},
                .citations = {},
                .notes = {},
                .kv_loss = {},
                .search_seconds = 0,
                .document_tokens = size.tokens,
                .quoted_tokens = 0,
                .document_characters = size.characters,
                .read_characters = 0};
  std::vector<std::vector<uint64_t>> taken;
  for (const FoundPlace& place : found.places) {
    control.CheckStop();
    if (answer.citations.size() == top) break;
    Citation citation = Cite(library, place, retriever.Read(place), terms, excerpter, names);
    std::vector<uint64_t> shingles = Shingles(citation.quote, analyzer);
    const bool duplicate = std::any_of(taken.begin(), taken.end(), [&](const auto& other) {
      return Resemblance(shingles, other) >= kNearDuplicate;
    });
    if (duplicate) continue;
    taken.push_back(std::move(shingles));
    answer.quoted_tokens += EstimateTokens(citation.quote);
    answer.read_characters += CountCodePoints(citation.quote);
    answer.text += fmt::format("{}{} [{}]", answer.text.empty() ? "" : "\n\n", citation.quote,
                               answer.citations.size() + 1);
    answer.citations.push_back(std::move(citation));
  }
  if (answer.citations.empty()) answer.notes.push_back(NothingFound(question));
  answer.search_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return answer;
}

}  // namespace tome
