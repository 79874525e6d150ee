// Makes a text of pages of words: reading order over columns, lines, paragraphs mended over line,
// column and page ends, headings as sections, listings and tables line by line, running headers and
// page numbers left out. The steps, each in a file of its own:
//
//   words --page_segments--> segments --page_furniture--> without headers, footers, numbers
//     --page_columns--> regions in reading order --page_lines--> lines
//     --page_headings--> section starts --page_blocks--> blocks --here--> DocumentBuilder
//
// Pure computation: no PDF library, no OCR, no threads. Any words are accepted.
#pragma once

#include <vector>

#include "tome/base/progress.h"
#include "tome/documents/document_builder.h"
#include "tome/documents/readers/page_words.h"

namespace tome {

// Appends the pages to `builder`, in order. Throws Error(kCancelled) when `control` says so.
// O(n log n) in the words of a page, O(n) in pages.
void LayOutPages(std::vector<PageWords> pages, const std::vector<OutlineEntry>& outline,
                 const WorkControl& control, DocumentBuilder& builder);

}  // namespace tome
