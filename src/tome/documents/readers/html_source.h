// What has to be known of an HTML file before it is parsed as HTML.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tome {

// The encoding that a page declares in its first 4096 bytes: <meta charset=…>, <meta … content="…
// charset=…">, or the encoding of an XML declaration. A name as written, or nothing.
std::optional<std::string> DeclaredEncoding(std::string_view bytes);

// True for XHTML: an XML declaration, or the XHTML namespace, at the start.
bool IsXhtml(std::string_view utf8);

// XHTML as HTML that means the same. A parser of HTML takes "<script/>", "<title/>" and "<a
// id='x'/>" for start tags, and the first two then swallow the rest of the page; here each gets its
// end tag. CDATA sections, comments to HTML, become text.
std::string XhtmlToHtml(std::string_view utf8);

}  // namespace tome
