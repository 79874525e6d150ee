// ReadDocx reads DOCX (ECMA-376). Headings by style or outline level become sections, and tables
// are read row by row. Footnotes and endnotes stand after the paragraph that cites them
// (flow_writer.h). List items and headings have the labels that Word counts for them. Tracked
// changes are read as accepted. There are no pages, because the file does not say where they break.
//
// ReadDocx leaves out headers and footers, comments, hidden text, field codes, the generated table
// of contents, readings above ruby, and the text of charts and of embedded files.
//
// ReadDocx throws Error: kUnsupported for a file with a password, a .doc file, a document without
// text and past the limits of an archive; kCorrupt for a damaged file.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

Document ReadDocx(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
