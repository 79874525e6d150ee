// ReadPdf reads PDF with poppler. It gives the text in reading order with pages, their printed
// numbers, and the outline as sections (documents/readers/page_layout.h does the layout).
//
// Text is taken with poppler-glib, whose character boxes and font runs cost about as much as
// pdftotext in all. The text_list of poppler-cpp converts every word by itself and takes three
// times as long. poppler-cpp renders the pages that OCR reads.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

// Pages are read on options.threads threads, each with a poppler document of its own over `bytes`.
// Scanned pages are named in a note, or read with tesseract if options.ocr. Throws Error:
//   kUnsupported  the file needs a password; is a scan without text (and options.ocr is off); has
//                 more than kMaxPages pages; is larger than 2 GiB
//   kCorrupt      poppler cannot repair the file, or the file has no pages
//   kUnavailable  options.ocr is set, a page is a scan, and tesseract is missing
//   kIo           tesseract fails
//   kCancelled    a stop was requested
//   kOutOfMemory  the text is past kMaxTextBytes
Document ReadPdf(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
