// Cuts a document into passages: the unit that retrieval finds and a model is shown.
//
// A passage never crosses a section boundary (a heading goes with the text that follows it), holds
// whole paragraphs while they fit the token budget, whole lines or sentences of a longer paragraph,
// and never part of a sentence; only a "sentence" above kMaxBudgets times the budget is cut, at
// white space or between characters. It is within the budget unless it is one long sentence, or
// headings with the first sentence below them. Together the passages cover every visible character
// of the text, in order, without overlap.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tome/base/progress.h"
#include "tome/documents/document.h"
#include "tome/text/sentences.h"

namespace tome {

// Long enough to hold an answer with its context, short enough that ten of them fit any model.
inline constexpr uint64_t kPassageTokens = 200;
inline constexpr uint64_t kMaxBudgets = 4;

struct Passage {
  TextSpan span;                // without white space at either end; never empty
  int64_t section = kNoParent;  // index of the innermost section that it lies in
  int64_t page = 0;             // number of the page that it begins on; 0 without pages
  uint32_t tokens = 0;          // EstimateTokens of its text

  friend bool operator==(const Passage&, const Passage&) = default;
};

// O(length of the text). Stops with Error(kCancelled).
std::vector<Passage> CutPassages(const Document& document, uint64_t budget_tokens,
                                 const WorkControl& control);

// The sentences of a span of the text, each without white space at its ends; wrapped lines
// (LineBreaks::kSoft) do not end a sentence. Empty ones are left out.
std::vector<TextSpan> Sentences(std::string_view text, const TextSpan& span, LineBreaks line_breaks,
                                SentenceSplitter& splitter);

}  // namespace tome
