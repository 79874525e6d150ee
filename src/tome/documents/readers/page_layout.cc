#include "tome/documents/readers/page_layout.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "tome/documents/readers/hyphenation.h"
#include "tome/documents/readers/page_blocks.h"
#include "tome/documents/readers/page_furniture.h"
#include "tome/documents/readers/page_headings.h"
#include "tome/documents/readers/page_lines.h"
#include "tome/documents/readers/page_statistics.h"

namespace tome {
namespace {

struct LaidOutPage {
  std::string label = {};
  std::vector<Line> lines = {};
  std::vector<SectionStart> sections = {};  // sections that begin on the page, in order
  std::vector<Block> blocks = {};
};

std::vector<SectionStart> FindSections(const std::vector<std::vector<Line>>& lines,
                                       const std::vector<OutlineEntry>& outline,
                                       const TextStatistics& statistics, bool recognised) {
  if (!outline.empty()) return PlaceOutline(lines, outline);
  // OCR only estimates sizes, so headings would be found on every second page.
  if (recognised) return {};
  return FindLargeHeadings(lines, statistics);
}

// Returns for each line the index in `sections` of its heading, or kNoHeading.
std::vector<int> HeadingOf(const LaidOutPage& page) {
  std::vector<int> heading(page.lines.size(), kNoHeading);
  for (size_t s = 0; s < page.sections.size(); ++s) {
    for (size_t i = page.sections[s].first_line; i < page.sections[s].end_line; ++i) {
      heading[i] = static_cast<int>(s);
    }
  }
  return heading;
}

// Writes laid out pages in order.
class Writer {
 public:
  Writer(std::vector<LaidOutPage>& pages, const Vocabulary& vocabulary, DocumentBuilder& builder)
      : pages_(pages), vocabulary_(vocabulary), builder_(builder) {}

  void WritePage(size_t p) {
    LaidOutPage& page = pages_[p];
    builder_.BeginPage(page.label);
    next_section_ = 0;
    for (size_t b = 0; b < page.blocks.size(); ++b) {
      BeginSections(page, page.blocks[b]);
      WriteBlock(p, b);
    }
    while (next_section_ < page.sections.size()) Begin(page, page.sections[next_section_++]);
  }

 private:
  static bool BeginsBefore(const LaidOutPage& page, size_t section, const Block& block) {
    return section < page.sections.size() && page.sections[section].first_line < block.end_line;
  }

  // Opens, at the start of the block, the sections that begin before its end. A block is not
  // divided.
  void BeginSections(const LaidOutPage& page, const Block& block) {
    while (BeginsBefore(page, next_section_, block)) {
      Begin(page, page.sections[next_section_++]);
    }
  }

  void Begin(const LaidOutPage& page, const SectionStart& section) {
    std::string title = section.title;
    if (section.end_line > section.first_line) {
      // The heading on the page has the number that outlines often lack.
      title.clear();
      for (size_t i = section.first_line; i < section.end_line; ++i) {
        JoinLine(vocabulary_, page.lines[i].text, title);
      }
    }
    builder_.BeginSection(section.level, title);
    joint_.reset();
  }

  void WriteBlock(size_t p, size_t b) {
    Block& block = pages_[p].blocks[b];
    if (block.kind == BlockKind::kLines) {
      builder_.EndBlock();
      for (const std::string& line : block.lines) builder_.Line(line);
      joint_.reset();
      return;
    }
    const std::optional<std::string> joint = std::exchange(joint_, FindJoint(p, b));
    if (joint) {
      builder_.ContinueParagraph(block.text, *joint);
    } else {
      builder_.Paragraph(block.text);
    }
  }

  // Returns the text between the block and the next one, if the block runs on there. Takes a
  // line-end hyphen off the block where the divided word has no hyphen.
  std::optional<std::string> FindJoint(size_t p, size_t b) {
    LaidOutPage& page = pages_[p];
    Block& block = page.blocks[b];
    size_t next_page = p;
    size_t next = b + 1;
    if (next == page.blocks.size()) {
      next = 0;
      if (++next_page == pages_.size() || pages_[next_page].blocks.empty()) return std::nullopt;
    }
    LaidOutPage& after_page = pages_[next_page];
    const Block& after = after_page.blocks[next];
    const bool section_on_page = next_section_ < page.sections.size();
    if (next_page != p ? section_on_page || BeginsBefore(after_page, 0, after)
                       : BeginsBefore(page, next_section_, after)) {
      return std::nullopt;
    }
    const bool same_region = next_page == p && page.lines[block.end_line - 1].region ==
                                                   page.lines[after.first_line].region;
    if (same_region || !RunsOn(block, page.lines, after, after_page.lines)) return std::nullopt;
    return std::string(MendLineEnd(vocabulary_, after.text, block.text));
  }

  std::vector<LaidOutPage>& pages_;
  const Vocabulary& vocabulary_;
  DocumentBuilder& builder_;
  size_t next_section_ = 0;
  std::optional<std::string> joint_;  // set: the next block continues the one before
};

std::vector<std::vector<Line>> FindAllLines(std::vector<PageWords> words,
                                            std::vector<std::string>& labels,
                                            const WorkControl& control) {
  std::vector<SegmentedPage> pages;
  pages.reserve(words.size());
  for (PageWords& page : words) {
    control.CheckStop();
    NormalizePage(page);
    std::vector<Segment> segments = FindSegments(page);
    pages.push_back({.words = std::move(page), .segments = std::move(segments)});
  }
  Furniture furniture = FindFurniture(pages);
  std::vector<std::vector<Line>> lines;
  for (size_t p = 0; p < pages.size(); ++p) {
    control.CheckStop();
    labels.push_back(furniture.labels[p].empty() ? pages[p].words.label : furniture.labels[p]);
    lines.push_back(FindLines(pages[p].words, pages[p].segments, furniture.is_furniture[p]));
    pages[p] = {};  // words are no longer needed, and there may be millions
  }
  return lines;
}

}  // namespace

void LayOutPages(std::vector<PageWords> words, const std::vector<OutlineEntry>& outline,
                 const WorkControl& control, DocumentBuilder& builder) {
  const bool recognised = std::any_of(words.begin(), words.end(),
                                      [](const PageWords& page) { return page.recognised; });
  std::vector<std::string> labels;
  std::vector<std::vector<Line>> lines = FindAllLines(std::move(words), labels, control);
  const TextStatistics statistics(lines);
  Vocabulary vocabulary;
  for (const std::vector<Line>& page : lines) {
    for (const Line& line : page) vocabulary.AddLine(line.text);
  }
  std::vector<LaidOutPage> pages(lines.size());
  for (SectionStart& section : FindSections(lines, outline, statistics, recognised)) {
    pages[static_cast<size_t>(section.page)].sections.push_back(std::move(section));
  }
  for (size_t p = 0; p < pages.size(); ++p) {
    control.CheckStop();
    pages[p].label = std::move(labels[p]);
    pages[p].lines = std::move(lines[p]);
    pages[p].blocks = FindBlocks(pages[p].lines, HeadingOf(pages[p]), statistics, vocabulary);
  }
  Writer writer(pages, vocabulary, builder);
  for (size_t p = 0; p < pages.size(); ++p) {
    control.CheckStop();
    writer.WritePage(p);
  }
}

}  // namespace tome
