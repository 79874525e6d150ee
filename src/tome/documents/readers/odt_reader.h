// ODT (OpenDocument): headings as sections, tables row by row, notes after the paragraph that cites
// them.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

Document ReadOdt(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
