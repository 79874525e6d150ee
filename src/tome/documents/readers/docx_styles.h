// DocxStyles tells from styles.xml of a DOCX which paragraph styles are headings, which are entries
// of a generated table of contents, and which number their paragraphs.
#pragma once

#include <pugixml.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tome {

// A ListPosition is the list and the level that a w:numPr names.
struct ListPosition {
  std::string list_id;  // w:numId; "0" takes a paragraph out of the list its style is in
  int level = 0;        // w:ilvl, 0 to 8
};

struct ParagraphStyle {
  int heading_level = 0;        // 1 to 9; 0: not a heading
  bool contents_entry = false;  // "toc 1" …
  std::optional<ListPosition> list;
};

// Returns a heading's level from w:outlineLvl of a w:pPr: 1 to 9, or 0 for body text. Returns
// nullopt without w:outlineLvl.
std::optional<int> OutlineLevel(pugi::xml_node paragraph_properties);

// Returns w:numPr of a w:pPr, or nullopt if it names no list.
std::optional<ListPosition> ListPositionOf(pugi::xml_node paragraph_properties);

class DocxStyles {
 public:
  DocxStyles() = default;  // without styles.xml: only ids tell headings

  // `root` is w:styles; it is not kept. A style inherits the properties that it lacks from the
  // style that it is based on.
  explicit DocxStyles(pugi::xml_node root);

  // Returns the style with this id. An undefined id is judged by its own wording ("Heading1").
  ParagraphStyle Find(std::string_view style_id) const;

 private:
  std::unordered_map<std::string, ParagraphStyle> styles_;
};

}  // namespace tome
