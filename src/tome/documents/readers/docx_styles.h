// What styles.xml of a DOCX says about paragraphs: which styles are headings, which are entries of
// a generated table of contents, which number their paragraphs.
#pragma once

#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tome {

// The list and level that a w:numPr names.
struct ListPosition {
  std::string list_id;  // w:numId; "0" takes a paragraph out of the list its style is in
  int level = 0;        // w:ilvl, 0 to 8
};

struct ParagraphStyle {
  int heading_level = 0;        // 1 to 9; 0: not a heading
  bool contents_entry = false;  // "toc 1" …
  std::optional<ListPosition> list;
};

// A heading's level from w:outlineLvl of a w:pPr: 1 to 9, 0 for body text, nullopt if it says
// nothing.
std::optional<int> OutlineLevel(pugi::xml_node paragraph_properties);

// w:numPr of a w:pPr.
std::optional<ListPosition> ListPositionOf(pugi::xml_node paragraph_properties);

class DocxStyles {
 public:
  DocxStyles() = default;  // of a document without styles.xml: only ids tell headings

  // `root` is w:styles; it is not kept. Properties that a style does not have come from the style
  // that it is based on.
  explicit DocxStyles(pugi::xml_node root);

  // For an id that is not defined, what its name suggests ("Heading1").
  ParagraphStyle Find(std::string_view style_id) const;

 private:
  std::unordered_map<std::string, ParagraphStyle> styles_;
};

}  // namespace tome
