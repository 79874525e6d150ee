// EPUB 2 and 3: the chapters in spine order, each XHTML part read as HTML (html_reader.h), sections
// from their headings and from the navigation document or NCX (epub_chapter.h). The navigation
// document is not text. Parts that are missing, no HTML or outside of the book are noted.
//
// Throws Error: kUnsupported for a book that is protected (DRM), without text, or past the limits
// of an archive; kCorrupt, also where one part of the spine is damaged.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

Document ReadEpub(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
