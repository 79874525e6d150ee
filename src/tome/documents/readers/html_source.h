// These functions prepare the source of an HTML file for the parser.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tome {

// Returns the encoding that a page declares in its first 4096 bytes, as written: <meta charset=…>,
// <meta … content="… charset=…">, or the encoding of an XML declaration. Returns nullopt without a
// declaration.
std::optional<std::string> DeclaredEncoding(std::string_view bytes);

// Returns true for XHTML: the text begins with an XML declaration, or its first 4096 bytes name the
// XHTML namespace.
bool IsXhtml(std::string_view utf8);

// Turns XHTML into HTML that means the same. An HTML parser takes "<script/>", "<title/>" and "<a
// id='x'/>" for start tags, and the first two then swallow the rest of the page; here each gets its
// end tag. CDATA sections, which are comments to HTML, become text.
std::string XhtmlToHtml(std::string_view utf8);

}  // namespace tome
