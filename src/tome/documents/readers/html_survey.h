// What the reader of an HTML tree has to know of an element before it comes to what lies inside.
#pragma once

#include <string>
#include <unordered_set>

#include "tome/documents/readers/html_tree.h"

namespace tome {

struct HtmlSurvey {
  // Tables that place things on a page instead of relating cells: their cells are read as blocks,
  // not as "a | b". Such are those with headings, other tables or preformatted blocks inside, with
  // many paragraphs in one cell, with one column, or with role=presentation.
  std::unordered_set<const GumboNode*> layout_tables;
  // <header> elements that hold an <h1>: the title of the text, not the head of a site.
  std::unordered_set<const GumboNode*> title_headers;
  std::string title;  // of <title>, white space as in the source
};

HtmlSurvey SurveyHtml(const HtmlTree& tree);

}  // namespace tome
