// Markdown (CommonMark with GitHub's tables, strikethrough and footnotes), parsed with cmark-gfm.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

Document ReadMarkdown(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
