// ReadOdt reads ODT (OpenDocument): headings as sections, tables row by row, notes after the
// paragraph that cites them (flow_writer.h), and list items with a bullet or the number that the
// file holds for them.
//
// ReadOdt leaves out headers and footers, comments, tracked deletions, the generated table of
// contents, hidden text, readings above ruby, and embedded objects.
//
// ReadOdt throws Error: kUnsupported for an encrypted file, another kind of OpenDocument, a
// document without text and past the limits of an archive; kCorrupt for a damaged file.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

Document ReadOdt(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
