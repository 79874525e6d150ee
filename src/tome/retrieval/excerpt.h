// Trims a passage to the sentences that answer: a short run that holds most of what the question
// asks for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/documents/document.h"
#include "tome/text/analyzer.h"
#include "tome/text/sentences.h"

namespace tome {

// Most tokens of a quote, unless it is a single sentence.
inline constexpr uint64_t kQuoteTokens = 100;

// A query term and the value of finding it: its weight times its inverse document frequency.
struct TermValue {
  std::string stream;
  double value = 0;
};

// Holds the sentence rules. Each thread needs its own.
class Excerpter {
 public:
  explicit Excerpter(Analyzer& analyzer) : analyzer_(analyzer) {}

  // Returns the best run of sentences of `passage`, a span of `text`; among equal runs the first
  // and shortest. The next sentence of the paragraph is added where it fits kQuoteTokens. The run
  // is contiguous, so its bytes are a verbatim quote. Sentences inside one of `headings` (spans of
  // the text) are left out; a passage without other sentences is returned whole.
  TextSpan Trim(std::string_view text, const TextSpan& passage, std::span<const TextSpan> headings,
                LineBreaks line_breaks, std::span<const TermValue> terms);

 private:
  Analyzer& analyzer_;
  SentenceSplitter splitter_;
};

}  // namespace tome
