// HTML and XHTML, parsed with gumbo as browsers do (the WHATWG algorithm).
//
// Kept: headings as sections, paragraphs, lists, tables (row by row, cells separated by " | "),
// preformatted blocks line by line, image alternatives where they are the only text of a block.
// Left out: script, style, nav, header and footer of the page, forms' controls, and elements hidden
// by attribute.
#pragma once

#include <string_view>

#include "tome/documents/document_builder.h"
#include "tome/documents/reader.h"

namespace tome {

Document ReadHtml(std::string_view bytes, const ReadOptions& options);

struct HtmlFragmentOptions {
  int heading_offset = 0;         // added to the level of every heading
  bool keep_boilerplate = false;  // keep nav, header, footer (EPUB chapters and Markdown mean them)
};

// Appends the visible text of an HTML page, already UTF-8, to `builder`: what EPUB chapters and
// rendered Markdown use. Returns the page's <title>, white space collapsed; empty if it has none.
std::string AppendHtml(std::string_view utf8, const HtmlFragmentOptions& options,
                       const ReadOptions& read_options, DocumentBuilder& builder);

}  // namespace tome
