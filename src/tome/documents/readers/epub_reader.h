// ReadEpub reads EPUB 2 and 3. The chapters come in spine order, and each XHTML part is read as
// HTML (html_reader.h). Sections come from the headings and from the navigation document or NCX
// (epub_chapter.h). The navigation document is not text. Notes name the parts that are missing, not
// HTML, or outside of the book.
//
// ReadEpub throws Error: kUnsupported for a book that is protected (DRM), without text, or past the
// limits of an archive; kCorrupt for a damaged book, also where one part of the spine is damaged.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

Document ReadEpub(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
