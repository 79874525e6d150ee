// Lines of text, in reading order: the rows of the regions with their words joined.
#pragma once

#include <string>
#include <vector>

#include "tome/documents/readers/page_columns.h"
#include "tome/documents/readers/page_segments.h"

namespace tome {

struct Line {
  std::string text = {};  // words with single spaces, none between CJK
  std::string code = {};  // of a line in fixed pitch: spaces as many as were on the page
  std::vector<std::string> cells = {};  // where wide gaps divide the line: the parts between them
  std::vector<float> cell_lefts = {};   // their left edges, points
  Box box = {};
  float base = 0;              // bottom of its main letters, points
  float font_size = 0;         // of its main letters, points
  float first_word_width = 0;  // what the line before would have needed to hold its first word
  size_t letters = 0;          // bytes without spaces
  bool bold = false;           // all of it
  bool mono = false;           // all of it
  bool leader = false;         // dots led from a title to a page number
  bool turned = false;
  size_t region = 0;      // on its page; lines of one region stand below one another
  float region_left = 0;  // points
  float region_right = 0;
};

// The lines of a page. `is_furniture` says by segment what to leave out.
std::vector<Line> FindLines(const PageWords& page, const std::vector<Segment>& segments,
                            const std::vector<bool>& is_furniture);

// What belongs between two pieces of text on one line or over a line end: " " or "". `gap_em` is
// the white between them in ems, or 1 over a line end.
std::string_view Joint(std::string_view before, std::string_view after, float gap_em);

// The first and last code point of well-formed text that is not empty.
char32_t FirstCodePoint(std::string_view text);
char32_t LastCodePoint(std::string_view text);

// Han, kana and their kin with the full-width punctuation among them.
bool IsWideText(char32_t c);

}  // namespace tome
