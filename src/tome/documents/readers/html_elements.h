// What the elements of HTML mean for a reader of the visible text.
#pragma once

#include <gumbo.h>

#include <string_view>

namespace tome {

enum class HtmlRole {
  kInline,   // part of the line around it
  kBlock,    // begins and ends a block
  kSkipped,  // not visible text: script, style, controls of forms, images but for their alternative
};

HtmlRole RoleOf(const GumboElement& element);

// True for elements hidden from every reader: `hidden`, aria-hidden, display:none.
bool IsHidden(const GumboElement& element);

// True for what belongs to a site and not to its text, by element, role or well-known class:
// navigation, tables of contents made from the headings, links to edit or quote a section. `header`
// and `footer` are not judged here, because it depends on what they stand in.
bool IsBoilerplate(const GumboElement& element);

// True for links back from a footnote and the like: noise in any use.
bool IsNoise(const GumboElement& element);

// The value of an attribute; empty where it is missing.
std::string_view AttributeOf(const GumboElement& element, const char* name);
bool HasAttribute(const GumboElement& element, const char* name);

// True when `name` is among the words of the class attribute.
bool HasClass(const GumboElement& element, std::string_view name);

// 1 to 6 for h1 to h6, else 0.
int HeadingLevel(const GumboElement& element);

// A note, tip or warning as DocBook writes it, whose first heading or <th> is a mere label.
bool IsAdmonition(const GumboElement& element);

}  // namespace tome
