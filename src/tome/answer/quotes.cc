#include "tome/answer/quotes.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
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

// Places looked at for each quote, because some turn out to be duplicates.
constexpr size_t kCandidatesPerQuote = 4;
// Bytes that are read on each side of a place: as much as a quote may grow there, in a script of
// two bytes a column.
constexpr uint64_t kBytesAround = 2 * kQuoteColumns;

// The quotes of one answer: no two show the same text, or say the same.
class QuoteList {
 public:
  QuoteList(Library& library, Retriever& retriever, std::span<const TermValue> terms,
            DocumentNames& names, Analyzer& analyzer)
      : library_(library),
        retriever_(retriever),
        terms_(terms),
        names_(names),
        analyzer_(analyzer),
        excerpter_(analyzer) {}

  // Returns the citation of a place. Empty where a better quote shows it already.
  std::optional<Citation> Cite(const FoundPlace& place) {
    PlaceText read = retriever_.Read(place, kBytesAround);
    const uint64_t base = read.span.begin;
    const std::optional<Quote> quote = Cut(place, read);
    if (!quote) return std::nullopt;
    Citation citation{.document_id = place.document,
                      .document = names_.Name(place.document),
                      .page = std::nullopt,
                      .page_label = {},
                      .section = std::nullopt,
                      .span = {.begin = base + quote->span.begin, .end = base + quote->span.end},
                      .quote = read.text.substr(quote->span.begin, quote->span.size()),
                      .score = place.score,
                      .ranks = place.ranks};
    std::vector<uint64_t> shingles = Shingles(citation.quote, analyzer_);
    for (const auto& other : shingles_) {
      if (Resemblance(shingles, other) >= kNearDuplicate) return std::nullopt;
    }
    shingles_.push_back(std::move(shingles));
    taken_.emplace(place.document, citation.span);
    // The quote may begin a page before the sentences that answer.
    if (auto page = library_.PageOf(place.document, base + quote->focus.begin)) {
      citation.page = page->number;
      citation.page_label = std::move(page->label);
    }
    if (!read.section_path.empty()) citation.section = std::move(read.section_path);
    return citation;
  }

 private:
  std::optional<Quote> Cut(const FoundPlace& place, PlaceText& read) {
    const uint64_t base = read.span.begin;
    const auto in_text = [&](const TextSpan& span) {
      return TextSpan{.begin = span.begin - base, .end = span.end - base};
    };
    for (TextSpan& heading : read.headings) heading = in_text(heading);
    for (uint64_t& begin : read.section_begins) begin -= base;
    std::vector<TextSpan> taken;
    const auto [first, last] = taken_.equal_range(place.document);
    for (auto it = first; it != last; ++it) {
      if (it->second.end > base && it->second.begin < read.span.end) {
        taken.push_back(
            {.begin = std::max(it->second.begin, base) - base, .end = it->second.end - base});
      }
    }
    return excerpter_.Cut({.text = read.text,
                           .place = in_text(place.span),
                           .cut_before = read.cut_before,
                           .cut_after = read.cut_after,
                           .headings = read.headings,
                           .section_begins = read.section_begins,
                           .line_breaks = names_.Record(place.document).line_breaks,
                           .found_by = place.ranks.dense ? FoundBy::kMeaning : FoundBy::kWords},
                          terms_, taken);
  }

  Library& library_;
  Retriever& retriever_;
  std::span<const TermValue> terms_;
  DocumentNames& names_;
  Analyzer& analyzer_;
  Excerpter excerpter_;
  std::vector<std::vector<uint64_t>> shingles_;  // of each quote
  std::multimap<DocumentId, TextSpan> taken_;    // spans of the documents' texts
};

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
      retriever.Find(question_text, {.documents = ids, .score = PassageScore::kWithNeighbors},
                     top * kCandidatesPerQuote, control);
  const Question& question = found.question;

  std::vector<TermValue> terms;
  for (size_t i = 0; i < question.terms.size() && i < found.idf.size(); ++i) {
    terms.push_back(
        {.stream = question.terms[i].stream, .value = question.terms[i].weight * found.idf[i]});
  }
  DocumentNames names(library, documents);
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
  QuoteList quotes(library, retriever, terms, names, analyzer);
  for (const FoundPlace& place : found.places) {
    control.CheckStop();
    if (answer.citations.size() == top) break;
    std::optional<Citation> cited = quotes.Cite(place);
    if (!cited) continue;
    Citation& citation = *cited;
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
