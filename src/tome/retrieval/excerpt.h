// Trims a passage to the sentences that answer: the shortest run of sentences that holds most of
// what the question asks for.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tome/documents/document.h"
#include "tome/retrieval/lexical_index.h"
#include "tome/text/analyzer.h"
#include "tome/text/sentences.h"

namespace tome {

// A quote holds no more than this, unless a single sentence does.
inline constexpr uint64_t kQuoteTokens = 100;

// A query term and what finding it is worth: its weight times its inverse document frequency.
struct TermValue {
  std::string stream;
  double value = 0;
};

// Holds the sentence rules; one a thread.
class Excerpter {
 public:
  explicit Excerpter(Analyzer& analyzer) : analyzer_(analyzer) {}

  // The best run of sentences of `passage`, a span of `text`; contiguous, so that its bytes are a
  // verbatim quote. Sentences inside one of `headings` (spans of the text) are taken only where the
  // passage has no other. Among equals the first and shortest wins.
  TextSpan Trim(std::string_view text, const TextSpan& passage, std::span<const TextSpan> headings,
                LineBreaks line_breaks, std::span<const TermValue> terms);

 private:
  Analyzer& analyzer_;
  SentenceSplitter splitter_;
};

}  // namespace tome
