// These functions tell what the elements of HTML mean for the visible text.
#pragma once

#include <gumbo.h>

#include <string_view>

namespace tome {

enum class HtmlRole {
  kInline,   // part of the line around it
  kBlock,    // begins and ends a block
  kSkipped,  // not visible text: script, style, form controls, SVG images
};

HtmlRole RoleOf(const GumboElement& element);

// Returns true for elements hidden from every reader: `hidden`, aria-hidden, display:none,
// visibility:hidden. <html> and <body> never count as hidden.
bool IsHidden(const GumboElement& element);

// Returns true for elements that belong to a site and not to its text, by element, role or
// well-known class: navigation, tables of contents made from the headings, links to edit or quote a
// section. <header> and <footer> are not judged here, because that depends on the elements around
// them.
bool IsBoilerplate(const GumboElement& element);

// Returns true for links back from a footnote, which are noise in any use.
bool IsNoise(const GumboElement& element);

// Returns the value of an attribute; empty where it is missing.
std::string_view AttributeOf(const GumboElement& element, const char* name);
bool HasAttribute(const GumboElement& element, const char* name);

// Returns true when `name` is among the words of the class attribute.
bool HasClass(const GumboElement& element, std::string_view name);

// Returns 1 to 6 for h1 to h6, else 0.
int HeadingLevel(const GumboElement& element);

// Returns true for a note, tip or warning as DocBook writes it. Its first heading or <th> is a mere
// label.
bool IsAdmonition(const GumboElement& element);

}  // namespace tome
