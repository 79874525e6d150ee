// DOCX (ECMA-376): headings by style or outline level as sections, tables row by row, footnotes and
// endnotes after the paragraph that cites them (flow_writer.h), list items and headings with the
// labels that Word counts for them. Tracked changes are read as accepted. There are no pages: where
// they break is not in the file.
//
// Left out: headers and footers, comments, hidden text, field codes, the generated table of
// contents, readings above ruby, text of charts and of embedded files.
//
// Throws Error: kUnsupported for a file with a password, a .doc file, a document without text and
// past the limits of an archive; kCorrupt.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

Document ReadDocx(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
