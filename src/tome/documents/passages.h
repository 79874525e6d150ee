// CutPassages cuts a document into passages, the unit that retrieval finds and a model is shown.
//
// A heading goes with the text that follows it; otherwise no passage crosses a section boundary. A
// passage holds whole paragraphs while they fit the token budget. Of a longer paragraph it holds
// whole lines or sentences. A "sentence" is cut only above kMaxBudgets times the budget, at white
// space or between characters. A passage is within the budget unless it is one long sentence, or
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

// A passage of this size holds an answer with its context, and ten of this size fit any model.
inline constexpr uint64_t kPassageTokens = 200;
inline constexpr uint64_t kMaxBudgets = 4;

struct Passage {
  TextSpan span;                // without white space at either end; never empty
  int64_t section = kNoParent;  // index of the innermost section of its last block
  int64_t page = 0;             // number of the page that it begins on; 0 without pages
  uint32_t tokens = 0;          // EstimateTokens of its text

  friend bool operator==(const Passage&, const Passage&) = default;
};

// Returns the passages of `document`. Takes O(length of the text). Throws Error(kCancelled) on a
// stop request.
std::vector<Passage> CutPassages(const Document& document, uint64_t budget_tokens,
                                 const WorkControl& control);

// Returns the sentences of a span of the text, each without white space at its ends. Wrapped lines
// (LineBreaks::kSoft) do not end a sentence. Sentences without visible text are left out.
std::vector<TextSpan> Sentences(std::string_view text, const TextSpan& span, LineBreaks line_breaks,
                                SentenceSplitter& splitter);

}  // namespace tome
