// EPUB 2 and 3: the chapters in spine order, each XHTML part read as HTML, titles from the
// navigation document or NCX.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

Document ReadEpub(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
