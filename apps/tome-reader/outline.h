// The outline (bookmarks) of a PDF.
#pragma once

#include <vector>

#include "apps/tome-reader/pdf_file.h"
#include "tome/documents/readers/page_words.h"

namespace tome {

// In the order of the outline, parents before children; entries that lead out of the document or
// nowhere are left out, their children stay. `crop_tops[page]` turns PDF coordinates into the
// page's (PdfPage::crop_top). Empty if there is no outline.
std::vector<OutlineEntry> ReadOutline(const PdfFile& file, const std::vector<float>& crop_tops);

}  // namespace tome
