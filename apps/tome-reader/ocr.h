// RecognisePages recognises scanned pages: poppler renders them, and tesseract reads them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tome/documents/reader.h"
#include "tome/documents/readers/page_words.h"

namespace tome {

// Fills `pages[i]` for every i of `scans` with recognised words. `bytes` is the PDF. Pages are
// recognised on options.threads threads, each running a tesseract of its own. Throws
// Error(kUnavailable) if tesseract is not installed, Error(kIo) if it fails, and Error(kCancelled)
// on a stop request.
void RecognisePages(std::string_view bytes, const std::vector<size_t>& scans,
                    const ReadOptions& options, std::vector<PageWords>& pages);

// Returns the words of tesseract's TSV, with boxes in points. Lines that are no TSV are skipped.
std::vector<Word> WordsOfTsv(std::string_view tsv, int dpi);

}  // namespace tome
