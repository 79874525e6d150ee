// FindLines finds the lines of a page in reading order: the rows of the regions with their words
// joined.
#pragma once

#include <string>
#include <vector>

#include "tome/documents/readers/page_columns.h"
#include "tome/documents/readers/page_segments.h"

namespace tome {

struct Line {
  std::string text = {};                // words with single spaces, no space between CJK
  std::string code = {};                // of a line in fixed pitch: as many spaces as on the page
  std::vector<std::string> cells = {};  // parts between wide gaps; empty without such gaps
  std::vector<float> cell_lefts = {};   // left edges of the cells, points
  Box box = {};
  float base = 0;              // bottom of its tallest segment, points
  float font_size = 0;         // of the segment with the most words, points
  float first_word_width = 0;  // width that its first word would need on the line before, points
  size_t letters = 0;          // bytes without spaces
  bool bold = false;           // the whole line
  bool mono = false;           // the whole line
  bool leader = false;         // dots led from a title to a page number
  bool turned = false;
  size_t region = 0;      // on its page; lines of one region stand below one another
  float region_left = 0;  // points
  float region_right = 0;
};

// Returns the lines of a page. `is_furniture` says for each segment whether it is left out.
std::vector<Line> FindLines(const PageWords& page, const std::vector<Segment>& segments,
                            const std::vector<bool>& is_furniture);

// Returns the text that belongs between two pieces of text on one line or over a line end: " " or
// "". `gap_em` is the white space between them in ems, or 1 over a line end.
std::string_view Joint(std::string_view before, std::string_view after, float gap_em);

// Return the first and the last code point of well-formed text that is not empty.
char32_t FirstCodePoint(std::string_view text);
char32_t LastCodePoint(std::string_view text);

// Returns true for Han, kana and related characters and for full-width punctuation, but not for
// Hangul.
bool IsWideText(char32_t c);

}  // namespace tome
