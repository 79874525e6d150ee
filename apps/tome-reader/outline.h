// ReadOutline reads the outline (bookmarks) of a PDF.
#pragma once

#include <vector>

#include "apps/tome-reader/pdf_file.h"
#include "tome/documents/readers/page_words.h"

namespace tome {

// Returns the entries in the order of the outline, parents before children; empty without an
// outline. An entry that leads out of the document or nowhere is left out, but its children stay.
// `crop_tops[page]` (PdfPage::crop_top) turns PDF coordinates into the page's.
std::vector<OutlineEntry> ReadOutline(const PdfFile& file, const std::vector<float>& crop_tops);

}  // namespace tome
