// ReadMarkdown reads Markdown (CommonMark with GitHub's tables, strikethrough, task lists, bare
// links and footnotes), parsed with cmark-gfm.
//
// A YAML front matter is left out. Its `title:` becomes Document::title; without one, the first
// heading of level 1 does. HTML blocks are read as HTML. Inline tags that are not HTML's
// ("List<String>") stay text. Encodings are as in text_reader.h. Throws Error(kUnsupported) past
// kMaxHtmlBytes, for text nested past kMaxElementDepth, for binary data and for a file without
// text.
#pragma once

#include <string_view>

#include "tome/documents/reader.h"

namespace tome {

Document ReadMarkdown(std::string_view bytes, const ReadOptions& options);

}  // namespace tome
