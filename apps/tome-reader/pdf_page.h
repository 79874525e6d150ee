// ReadPdfPage reads the words of one page of a PDF and tells whether the page is a scan.
#pragma once

#include "apps/tome-reader/glib_handle.h"
#include "tome/documents/readers/page_words.h"

namespace tome {

struct PdfPage {
  PageWords words = {};
  // The top of the crop box in PDF coordinates (y upwards) is the place where y is 0 in `words`.
  float crop_top = 0;
  bool is_scan = false;  // a picture of text: a large image and next to no text
};

PdfPage ReadPdfPage(PopplerPage* page);

}  // namespace tome
