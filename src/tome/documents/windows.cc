#include "tome/documents/windows.h"

#include <algorithm>

#include "tome/base/error.h"
#include "tome/text/sentences.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

struct Sentence {
  TextSpan span;
  uint64_t tokens = 0;
  int64_t section = kNoParent;
};

std::vector<Sentence> SentencesOf(std::string_view text, const std::vector<Section>& sections,
                                  LineBreaks line_breaks, std::span<const Passage> passages,
                                  const WorkControl& control) {
  SentenceSplitter splitter;
  std::vector<Sentence> sentences;
  for (const Passage& passage : passages) {
    control.CheckStop();
    for (const TextSpan& span : Sentences(text, passage.span, line_breaks, splitter)) {
      sentences.push_back({.span = span,
                           .tokens = EstimateTokens(text.substr(span.begin, span.size())),
                           .section = SectionAt(sections, span.begin)});
    }
  }
  return sentences;
}

// Returns the innermost section that encloses both, or kNoParent. A section comes after those that
// enclose it, so the later of two cannot enclose the earlier.
int64_t CommonSection(const std::vector<Section>& sections, int64_t a, int64_t b) {
  while (a != b) {
    int64_t& later = a > b ? a : b;
    later = sections[static_cast<size_t>(later)].parent;
  }
  return a;
}

}  // namespace

std::vector<Window> CutWindows(std::string_view text, const std::vector<Section>& sections,
                               LineBreaks line_breaks, std::span<const Passage> passages,
                               const WindowSize& size, const WorkControl& control) {
  TOME_CHECK(size.tokens > 0 && 2 * size.overlap < size.tokens);
  const std::vector<Sentence> sentences =
      SentencesOf(text, sections, line_breaks, passages, control);
  std::vector<Window> windows;
  size_t first = 0;
  while (first < sentences.size()) {
    uint64_t tokens = sentences[first].tokens;
    int64_t section = sentences[first].section;
    size_t last = first;
    bool at_section = false;  // the next sentence begins a section
    while (last + 1 < sentences.size()) {
      const Sentence& next = sentences[last + 1];
      at_section = next.section != sentences[last].section;
      if (tokens + next.tokens > size.tokens || (at_section && 2 * tokens >= size.tokens)) break;
      tokens += next.tokens;
      section = CommonSection(sections, section, next.section);
      ++last;
    }
    windows.push_back(
        {.span = {.begin = sentences[first].span.begin, .end = sentences[last].span.end},
         .section = section});
    if (last + 1 == sentences.size()) break;
    // The next window takes the last sentences of this one along, unless it begins a section.
    size_t next_first = last + 1;
    uint64_t overlap = 0;
    while (!at_section && next_first > first + 1) {
      overlap += sentences[next_first - 1].tokens;
      if (overlap > size.overlap) break;
      --next_first;
    }
    first = next_first;
  }
  return windows;
}

}  // namespace tome
