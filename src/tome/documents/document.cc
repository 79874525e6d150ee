#include "tome/documents/document.h"

#include <fmt/format.h>

#include <algorithm>

#include "tome/base/error.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

bool IsBoundary(std::string_view text, uint64_t offset) {
  return offset <= text.size() && FloorToCodePoint(text, offset) == offset;
}

void CheckSpan(const Document& document, const TextSpan& span, std::string_view what,
               size_t index) {
  if (span.begin > span.end || !IsBoundary(document.text, span.begin) ||
      !IsBoundary(document.text, span.end)) {
    throw Error(Code::kCorrupt, fmt::format("{} {}: bytes [{}, {}) are not a span of the text",
                                            what, index, span.begin, span.end));
  }
}

}  // namespace

void CheckDocument(const Document& document) {
  if (!IsValidUtf8(document.text)) throw Error(Code::kCorrupt, "the text is not UTF-8");
  uint64_t previous_end = 0;
  for (size_t i = 0; i < document.pages.size(); ++i) {
    const TextSpan& span = document.pages[i].span;
    CheckSpan(document, span, "page", i);
    if (span.begin < previous_end) {
      throw Error(Code::kCorrupt, fmt::format("page {} overlaps the page before", i));
    }
    previous_end = span.end;
  }
  for (size_t i = 0; i < document.sections.size(); ++i) {
    const Section& section = document.sections[i];
    CheckSpan(document, section.span, "section", i);
    if (section.title.empty() || section.level < 1) {
      throw Error(Code::kCorrupt, fmt::format("section {} has no title or no level", i));
    }
    if (i > 0 && section.span.begin < document.sections[i - 1].span.begin) {
      throw Error(Code::kCorrupt, fmt::format("section {} begins before the section before it", i));
    }
    if (section.parent == kNoParent) continue;
    if (section.parent < 0 || section.parent >= static_cast<int64_t>(i)) {
      throw Error(Code::kCorrupt, fmt::format("section {} has parent {}", i, section.parent));
    }
    const Section& parent = document.sections[static_cast<size_t>(section.parent)];
    if (section.level <= parent.level || section.span.begin < parent.span.begin ||
        section.span.end > parent.span.end) {
      throw Error(Code::kCorrupt, fmt::format("section {} does not lie in its parent", i));
    }
  }
}

std::string SectionPath(const std::vector<Section>& sections, int64_t index) {
  std::string path;
  while (index != kNoParent) {
    const Section& section = sections.at(static_cast<size_t>(index));
    path = path.empty() ? section.title : fmt::format("{} > {}", section.title, path);
    index = section.parent;
  }
  return path;
}

int64_t SectionAt(const std::vector<Section>& sections, uint64_t offset) {
  // The last section that begins at or before the offset is the innermost one that could contain
  // it. Where that section has already ended, one of its ancestors may still contain the offset.
  const auto after =
      std::upper_bound(sections.begin(), sections.end(), offset,
                       [](uint64_t value, const Section& s) { return value < s.span.begin; });
  int64_t index = (after - sections.begin()) - 1;
  while (index != kNoParent && sections[static_cast<size_t>(index)].span.end <= offset) {
    index = sections[static_cast<size_t>(index)].parent;
  }
  return index;
}

int64_t PageAt(const std::vector<Page>& pages, uint64_t offset) {
  const auto after =
      std::upper_bound(pages.begin(), pages.end(), offset,
                       [](uint64_t value, const Page& p) { return value < p.span.begin; });
  return after - pages.begin();
}

std::string SectionPathAt(const std::vector<Section>& sections, uint64_t offset) {
  return SectionPath(sections, SectionAt(sections, offset));
}

}  // namespace tome
