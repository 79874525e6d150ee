// CutWindows cuts a document into windows, the texts whose vectors are searched.
//
// A passage is found by its words and is short, so that its words are about one thing. A vector is
// made of a longer text that says by itself what it is about: a window holds whole sentences of up
// to `tokens` tokens, across paragraphs and short sections, and begins with the last sentences of
// the window before it, so that no answer is cut in two. A window ends early where a section begins
// when it is at least half full, and the next one begins there without overlap. A single sentence
// may be longer than a window.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tome/base/progress.h"
#include "tome/documents/document.h"
#include "tome/documents/passages.h"

namespace tome {

// Sizes are in tokens as EstimateTokens counts them.
struct WindowSize {
  uint64_t tokens = 300;
  uint64_t overlap = 60;  // less than half of `tokens`

  friend bool operator==(const WindowSize&, const WindowSize&) = default;
};

struct Window {
  TextSpan span;                // from its first sentence to its last one; never empty
  int64_t section = kNoParent;  // index of the innermost section that holds all of it

  friend bool operator==(const Window&, const Window&) = default;
};

// Returns the windows of a document, in order, of which `passages` are the passages (CutPassages).
// Together they cover every passage, and each begins after the one before it. Takes O(length of the
// text). Throws Error(kCancelled) on a stop request.
std::vector<Window> CutWindows(std::string_view text, const std::vector<Section>& sections,
                               LineBreaks line_breaks, std::span<const Passage> passages,
                               const WindowSize& size, const WorkControl& control);

}  // namespace tome
