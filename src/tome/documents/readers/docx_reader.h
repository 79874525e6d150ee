// DOCX (ECMA-376): headings by style as sections, tables row by row, footnotes and endnotes after
// the paragraph that cites them.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

Document ReadDocx(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
