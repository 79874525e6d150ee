// HTML and XHTML, parsed with gumbo as browsers do (the WHATWG algorithm).
//
// Kept: headings as sections, paragraphs, list items ("• ", "3. "), tables (row by row, cells
// separated by " | "; tables that only place things on a page are read as blocks), preformatted
// blocks line by line, image alternatives where they are the only text of a block. A line end of
// the source between two Chinese or Japanese characters is no space. Left out: script, style, nav,
// header and footer of the page, tables of contents that repeat the headings, forms' controls,
// readings above ruby, and elements hidden by attribute or style.
//
// Throws Error: kUnsupported past kMaxHtmlBytes or kMaxElementDepth and for a page without text,
// kOutOfMemory when the tree is out of proportion to its source.
#pragma once

#include <string_view>

#include "tome/documents/document_builder.h"
#include "tome/documents/reader.h"

namespace tome {

// The encoding: a BOM, options.encoding, the page's declaration if the bytes bear it out, UTF-8, a
// guess; what is doubtful is in Document::notes. The title: <title>, else a first heading of
// level 1.
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
