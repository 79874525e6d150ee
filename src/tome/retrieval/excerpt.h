// Cuts the quote out of what stands at a place: the sentences that answer, with the sentences around
// them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/documents/document.h"
#include "tome/text/analyzer.h"
#include "tome/text/sentences.h"

namespace tome {

// Most tokens of a quote's focus, unless it is a single sentence.
inline constexpr uint64_t kFocusTokens = 100;
// A quote grows up to this width. A CJK character takes two columns, any other character one.
inline constexpr uint64_t kQuoteColumns = 800;

// A query term and the value of finding it: its weight times its inverse document frequency.
struct TermValue {
  std::string stream;
  double value = 0;
};

// Says by what a place was found.
enum class FoundBy {
  kWords,   // the question's words tell which of its sentences answer
  kMeaning  // any of its sentences may answer
};

// A place and the text around it. Spans are in `text`.
struct ExcerptSource {
  std::string_view text;
  TextSpan place;  // begins and ends at borders of sentences
  // Whether the document goes on before and after the text. A sentence at such an end may be torn.
  bool cut_before = false;
  bool cut_after = false;
  std::span<const TextSpan> headings;
  std::span<const uint64_t> section_begins;  // ascending
  LineBreaks line_breaks = LineBreaks::kHard;
  FoundBy found_by = FoundBy::kWords;
};

// A quote and its focus, the sentences that it was grown from, as spans of ExcerptSource::text.
struct Quote {
  TextSpan span;
  TextSpan focus;

  friend bool operator==(const Quote&, const Quote&) = default;
};

// Holds the sentence rules. Each thread needs its own.
class Excerpter {
 public:
  explicit Excerpter(Analyzer& analyzer) : analyzer_(analyzer) {}

  // Returns the quote of a place. Its focus is the run of the place's sentences, other than
  // headings, that holds most of the terms for its length; among equal runs the first and shortest.
  // Of a place found by meaning it is all of it, or as much of it as fits a quote. A place of
  // headings alone is its own focus.
  //
  // The quote is the focus with whole sentences before and after it, also from outside of the
  // place, up to kQuoteColumns and to the borders of the focus's sections. Its bytes are contiguous
  // and so a verbatim quote.
  //
  // No quote reaches into a span of `taken`, the quotes that are shown already. Empty where those
  // hold half of the focus.
  std::optional<Quote> Cut(const ExcerptSource& source, std::span<const TermValue> terms,
                           std::span<const TextSpan> taken);

 private:
  Analyzer& analyzer_;
  SentenceSplitter splitter_;
};

}  // namespace tome
