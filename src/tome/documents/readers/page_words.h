// PageWords holds a page before its layout is understood: words with boxes, as a PDF's text layer
// or OCR gives them. It is plain data and does not depend on its source.
//
// Coordinates are points (1/72 inch) from the upper left corner of the page, y downwards.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tome {

struct Box {
  float left = 0;
  float top = 0;
  float right = 0;
  float bottom = 0;

  float width() const { return right - left; }
  float height() const { return bottom - top; }
  float center_y() const { return (top + bottom) / 2; }
};

// Grows `box` to contain `other`.
void Unite(const Box& other, Box& box);

// Returns the height that both boxes share, as a part of the height of the less tall one: 0 to 1.
float VerticalOverlap(const Box& a, const Box& b);

// A Word is a run of glyphs without white space. In CJK text it may be a whole line.
struct Word {
  std::string text = {};  // UTF-8
  Box box = {};           // ascent and descent of the glyphs, not their ink
  float font_size = 10;   // points
  bool bold = false;
  bool mono = false;         // in a font of fixed pitch
  bool space_after = false;  // white space follows on the same line
  uint8_t turn = 0;          // the way the text runs: 0 right, 1 down, 2 left, 3 up
};

struct PageWords {
  float width = 0;
  float height = 0;
  std::string label = {};        // the format's own label of the page; empty without one
  std::vector<Word> words = {};  // words of one line follow one another, from left to right
  bool recognised = false;       // by OCR: sizes are estimates, fonts unknown
};

// An OutlineEntry is an entry of the document's outline (its bookmarks).
struct OutlineEntry {
  int level = 1;  // 1 is the outermost
  std::string title = {};
  int64_t page = 0;  // index
  float y = -1;      // points on that page; negative where the destination names no place
};

// Makes any words safe to lay out. Text becomes well-formed, f-ligatures are spelled out, and boxes
// are ordered. A page whose text mostly runs up, down or upside down is turned upright. Words
// without visible text, or with boxes that are not finite or far outside any page, are dropped.
void NormalizePage(PageWords& page);

}  // namespace tome
