#include "tome/documents/readers/html_elements.h"

#include <algorithm>
#include <array>
#include <string>

namespace tome {
namespace {

template <size_t N>
bool IsOneOf(GumboTag tag, const std::array<GumboTag, N>& tags) {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

template <size_t N>
bool IsOneOf(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array kSkipped = {
    GUMBO_TAG_SCRIPT, GUMBO_TAG_STYLE, GUMBO_TAG_TEMPLATE, GUMBO_TAG_NOSCRIPT, GUMBO_TAG_SVG,
    GUMBO_TAG_HEAD, GUMBO_TAG_TITLE, GUMBO_TAG_INPUT, GUMBO_TAG_SELECT, GUMBO_TAG_BUTTON,
    GUMBO_TAG_TEXTAREA, GUMBO_TAG_OPTION, GUMBO_TAG_OPTGROUP, GUMBO_TAG_DATALIST, GUMBO_TAG_IFRAME,
    GUMBO_TAG_FRAME, GUMBO_TAG_FRAMESET, GUMBO_TAG_NOFRAMES, GUMBO_TAG_AUDIO, GUMBO_TAG_VIDEO,
    GUMBO_TAG_CANVAS, GUMBO_TAG_EMBED, GUMBO_TAG_METER, GUMBO_TAG_PROGRESS, GUMBO_TAG_LINK,
    GUMBO_TAG_META, GUMBO_TAG_AREA, GUMBO_TAG_NOEMBED,
    // The reading above a ruby base would split the word that it explains.
    GUMBO_TAG_RT, GUMBO_TAG_RP, GUMBO_TAG_RTC};

constexpr std::array kInline = {
    GUMBO_TAG_A,      GUMBO_TAG_ABBR,  GUMBO_TAG_ACRONYM, GUMBO_TAG_B,       GUMBO_TAG_BDI,
    GUMBO_TAG_BDO,    GUMBO_TAG_BIG,   GUMBO_TAG_BLINK,   GUMBO_TAG_BR,      GUMBO_TAG_CITE,
    GUMBO_TAG_CODE,   GUMBO_TAG_DATA,  GUMBO_TAG_DEL,     GUMBO_TAG_DFN,     GUMBO_TAG_EM,
    GUMBO_TAG_FONT,   GUMBO_TAG_I,     GUMBO_TAG_IMG,     GUMBO_TAG_INS,     GUMBO_TAG_KBD,
    GUMBO_TAG_LABEL,  GUMBO_TAG_MARK,  GUMBO_TAG_MATH,    GUMBO_TAG_NOBR,    GUMBO_TAG_OBJECT,
    GUMBO_TAG_OUTPUT, GUMBO_TAG_Q,     GUMBO_TAG_RB,      GUMBO_TAG_RUBY,    GUMBO_TAG_S,
    GUMBO_TAG_SAMP,   GUMBO_TAG_SMALL, GUMBO_TAG_SPAN,    GUMBO_TAG_STRIKE,  GUMBO_TAG_STRONG,
    GUMBO_TAG_SUB,    GUMBO_TAG_SUP,   GUMBO_TAG_TIME,    GUMBO_TAG_TT,      GUMBO_TAG_U,
    GUMBO_TAG_VAR,    GUMBO_TAG_WBR,   GUMBO_TAG_MAP,     GUMBO_TAG_UNKNOWN, GUMBO_TAG_BASEFONT,
    GUMBO_TAG_APPLET};

// These are the roles of landmarks around the text (WAI-ARIA 1.2, section 5.3.4).
constexpr std::array<std::string_view, 5> kBoilerplateRoles = {
    "navigation", "banner", "contentinfo", "complementary", "search"};

// DocBook, Sphinx and MediaWiki write elements of these classes around the text in all their pages.
constexpr std::array<std::string_view, 11> kBoilerplateClasses = {
    "navheader",    "navfooter", "toc",     "sphinxsidebar", "headerlink", "mw-editsection",
    "mw-jump-link", "navbox",    "noprint", "skip-link",     "breadcrumbs"};

constexpr std::array<std::string_view, 5> kAdmonitions = {"tip", "note", "warning", "caution",
                                                          "important"};

// Calls `visit` with each word of the class attribute until it returns true.
template <typename Visit>
bool AnyClass(const GumboElement& element, Visit visit) {
  std::string_view classes = AttributeOf(element, "class");
  while (!classes.empty()) {
    const size_t end = std::min(classes.find_first_of(" \t\r\n\f"), classes.size());
    if (end > 0 && visit(classes.substr(0, end))) return true;
    classes.remove_prefix(std::min(end + 1, classes.size()));
  }
  return false;
}

// Returns whether a style says "display : none" or "visibility : hidden", in any spelling.
bool StyleHides(std::string_view style) {
  std::string plain;
  for (const char c : style.substr(0, 1000)) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return plain.find("display:none") != std::string::npos ||
         plain.find("visibility:hidden") != std::string::npos;
}

}  // namespace

HtmlRole RoleOf(const GumboElement& element) {
  if (element.tag_namespace == GUMBO_NAMESPACE_SVG) return HtmlRole::kSkipped;
  if (element.tag_namespace == GUMBO_NAMESPACE_MATHML) {
    // The source of a formula (often TeX) repeats the formula.
    const std::string_view tag = {element.original_tag.data, element.original_tag.length};
    return tag.starts_with("<annotation") ? HtmlRole::kSkipped : HtmlRole::kInline;
  }
  if (IsOneOf(element.tag, kSkipped)) return HtmlRole::kSkipped;
  return IsOneOf(element.tag, kInline) ? HtmlRole::kInline : HtmlRole::kBlock;
}

bool IsHidden(const GumboElement& element) {
  // Many pages hide the body until a script has run. Its text is there all the same.
  if (element.tag == GUMBO_TAG_HTML || element.tag == GUMBO_TAG_BODY) return false;
  return (HasAttribute(element, "hidden") && AttributeOf(element, "hidden") != "until-found") ||
         AttributeOf(element, "aria-hidden") == "true" || StyleHides(AttributeOf(element, "style"));
}

bool IsBoilerplate(const GumboElement& element) {
  if (element.tag == GUMBO_TAG_NAV) return true;
  if (element.tag == GUMBO_TAG_HTML || element.tag == GUMBO_TAG_BODY) return false;
  if (IsOneOf(AttributeOf(element, "role"), kBoilerplateRoles)) return true;
  return AnyClass(element,
                  [](std::string_view word) { return IsOneOf(word, kBoilerplateClasses); });
}

bool IsNoise(const GumboElement& element) {
  return element.tag == GUMBO_TAG_A &&
         (HasClass(element, "footnote-backref") || AttributeOf(element, "role") == "doc-backlink");
}

std::string_view AttributeOf(const GumboElement& element, const char* name) {
  const GumboAttribute* attribute = gumbo_get_attribute(&element.attributes, name);
  return attribute == nullptr ? std::string_view() : std::string_view(attribute->value);
}

bool HasAttribute(const GumboElement& element, const char* name) {
  return gumbo_get_attribute(&element.attributes, name) != nullptr;
}

bool HasClass(const GumboElement& element, std::string_view name) {
  return AnyClass(element, [&](std::string_view word) { return word == name; });
}

int HeadingLevel(const GumboElement& element) {
  switch (element.tag) {
    case GUMBO_TAG_H1:
      return 1;
    case GUMBO_TAG_H2:
      return 2;
    case GUMBO_TAG_H3:
      return 3;
    case GUMBO_TAG_H4:
      return 4;
    case GUMBO_TAG_H5:
      return 5;
    case GUMBO_TAG_H6:
      return 6;
    default:
      return 0;
  }
}

bool IsAdmonition(const GumboElement& element) {
  return element.tag == GUMBO_TAG_DIV &&
         AnyClass(element, [](std::string_view word) { return IsOneOf(word, kAdmonitions); });
}

}  // namespace tome
