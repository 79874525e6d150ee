// What Tome needs of one page of a PDF.
#pragma once

#include "apps/tome-reader/glib_handle.h"
#include "tome/documents/readers/page_words.h"

namespace tome {

struct PdfPage {
  PageWords words = {};
  float crop_top = 0;    // of the crop box in PDF coordinates (y upwards): where y is 0 in `words`
  bool is_scan = false;  // a picture of text: a large image and next to no text
};

PdfPage ReadPdfPage(PopplerPage* page);

}  // namespace tome
