// LayOutPages makes a text of pages of words. It puts columns and lines in reading order, mends
// paragraphs over line, column and page ends, makes sections of headings, keeps listings and tables
// line by line, and leaves out running headers and page numbers. Each step has a file of its own:
//
//   words --page_segments--> segments --page_furniture--> without headers, footers, numbers
//     --page_columns--> regions in reading order --page_lines--> lines
//     --page_headings--> section starts --page_blocks--> blocks --here--> DocumentBuilder
//
// The layout is pure computation: no PDF library, no OCR, no threads. It accepts any words.
#pragma once

#include <vector>

#include "tome/base/progress.h"
#include "tome/documents/document_builder.h"
#include "tome/documents/readers/page_words.h"

namespace tome {

// Appends the pages to `builder`, in order. Throws Error(kCancelled) on a stop request of
// `control`. O(n log n) in the words of a page, O(n) in pages.
void LayOutPages(std::vector<PageWords> pages, const std::vector<OutlineEntry>& outline,
                 const WorkControl& control, DocumentBuilder& builder);

}  // namespace tome
