// ReadHtml reads HTML and XHTML, parsed with gumbo as browsers do (the WHATWG algorithm).
//
// It keeps headings as sections, paragraphs, list items ("• ", "3. "), tables, preformatted blocks
// line by line, and image alternatives where they are the only text of a block. Tables are read row
// by row, with cells separated by " | "; tables that only place things on a page are read as
// blocks. A line end of the source between two Chinese or Japanese characters is no space. It
// leaves out script, style, nav, header and footer of the page, tables of contents that repeat the
// headings, form controls, readings above ruby, and elements hidden by attribute or style.
//
// It throws Error: kUnsupported past kMaxHtmlBytes or kMaxElementDepth and for a page without text,
// kOutOfMemory when the tree is out of proportion to its source.
#pragma once

#include <string_view>

#include "tome/documents/document_builder.h"
#include "tome/documents/reader.h"

namespace tome {

// The encoding is options.encoding, else a BOM's, else the page's declaration if the bytes bear it
// out, else UTF-8, else a guess (DecodeFile). Document::notes tells of doubts. The title is
// <title>, or else a first heading of level 1.
Document ReadHtml(std::string_view bytes, const ReadOptions& options);

struct HtmlFragmentOptions {
  int heading_offset = 0;         // added to the level of every heading
  bool keep_boilerplate = false;  // keep nav, header, footer (EPUB chapters and Markdown mean them)
};

// Appends the visible text of an HTML page, already UTF-8, to `builder`. EPUB chapters and rendered
// Markdown use it. Returns the page's <title> with white space collapsed; empty if it has none.
std::string AppendHtml(std::string_view utf8, const HtmlFragmentOptions& options,
                       const ReadOptions& read_options, DocumentBuilder& builder);

}  // namespace tome
