// SurveyHtml finds what the reader of an HTML tree needs to know about an element before it comes
// to the element's content.
#pragma once

#include <string>
#include <unordered_set>

#include "tome/documents/readers/html_tree.h"

namespace tome {

struct HtmlSurvey {
  // These tables place things on a page instead of relating cells, so their cells are read as
  // blocks, not as "a | b". A table is one of these if it has headings, other tables or
  // preformatted blocks inside, many paragraphs in one cell, only one column, or role=presentation.
  std::unordered_set<const GumboNode*> layout_tables;
  // These <header> elements hold an <h1>: the title of the text, not the head of a site.
  std::unordered_set<const GumboNode*> title_headers;
  std::string title;  // text of <title>, white space as in the source
};

HtmlSurvey SurveyHtml(const HtmlTree& tree);

}  // namespace tome
