// A Document is what the reader of each file format makes of a file. All later steps work on it.
//
// A Document owns one normalized text: UTF-8 in Unicode normalization form C, without a BOM. Lines
// end with '\n', and '\n' and '\t' are the only control characters. All positions are byte spans
// [begin, end) into that text. A citation is such a span, and `tome text FILE` prints the text that
// they count in.
//
// The text consists of blocks (a heading, a paragraph, a list item, a table, a preformatted block),
// separated by one empty line ("\n\n"). Inside a block, '\n' ends a line that the format means as
// one (a table row, a line of code or verse). Where `line_breaks` is kSoft, which only plain text
// has, '\n' may instead stand in the middle of a sentence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/advice.h"

namespace tome {

// A byte range [begin, end) of a document's text.
struct TextSpan {
  uint64_t begin = 0;
  uint64_t end = 0;

  uint64_t size() const { return end - begin; }
  friend bool operator==(const TextSpan&, const TextSpan&) = default;
};

// A page of a paginated format. Its number is its index in Document::pages plus one.
struct Page {
  TextSpan span;
  std::string label;  // the number printed on it ("iv", "12"); empty where the format has none

  friend bool operator==(const Page&, const Page&) = default;
};

inline constexpr int64_t kNoParent = -1;

// A section reaches from its heading to the next heading of the same or an outer level, so it
// includes its subsections.
struct Section {
  std::string title;           // one line; never empty
  int level = 1;               // 1 is the outermost
  int64_t parent = kNoParent;  // index of the enclosing section, always smaller than this one's
  TextSpan span;               // inside the parent's span

  friend bool operator==(const Section&, const Section&) = default;
};

enum class LineBreaks {
  kHard,  // a single '\n' ends a line on purpose
  kSoft,  // paragraphs are hard-wrapped: a single '\n' may stand in the middle of a sentence
};

struct Document {
  std::string format;    // "text", "markdown", "html", "pdf", "epub", "docx", "odt"
  std::string encoding;  // of the file's text ("GB18030"); empty where the format fixes it
  std::string title;     // empty where the file names none
  std::string text;
  LineBreaks line_breaks = LineBreaks::kHard;
  std::vector<Page> pages;        // in order, disjoint; empty for formats without pages
  std::vector<Section> sections;  // in order of begin, parents before children
  std::vector<Note> notes;        // for the user: a guessed encoding, a scanned page

  friend bool operator==(const Document&, const Document&) = default;
};

// Throws Error(kCorrupt) unless every promise above about spans, order, parents and UTF-8 holds.
// Normalization is not checked, because that costs more than reading the text.
void CheckDocument(const Document& document);

// Returns "Part > Chapter > Section" for the section with this index.
std::string SectionPath(const std::vector<Section>& sections, int64_t index);
// Returns the path of the innermost section that holds the byte at `offset`; empty outside any
// section. O(log n + depth) for n sections.
std::string SectionPathAt(const std::vector<Section>& sections, uint64_t offset);

// Returns the index of the innermost section that contains `offset`, or kNoParent. O(log n +
// depth).
int64_t SectionAt(const std::vector<Section>& sections, uint64_t offset);

// Returns the number (from 1) of the last page that begins at or before `offset`, so a byte between
// two pages counts to the one before it. Returns 0 where no page does. O(log n).
int64_t PageAt(const std::vector<Page>& pages, uint64_t offset);

}  // namespace tome
