// ElementRoles says what the elements of an XML format mean to the reader of its body, by their
// local names. The readers of DOCX and ODT share it: each walks the tree by its own roles.
#pragma once

#include <pugixml.hpp>

#include <initializer_list>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tome/documents/readers/xml.h"

namespace tome {

// `Role` is an enum with these values among others: kDescend for a container whose name says
// nothing about text, kSkip, and kParagraph.
template <typename Role>
class ElementRoles {
 public:
  // The names must outlive this object.
  ElementRoles(std::initializer_list<std::pair<const std::string_view, Role>> roles)
      : roles_(roles) {}

  // Returns kDescend for an element with another name, kSkip for a node that is no element.
  Role Of(pugi::xml_node node) const {
    const std::string_view name = LocalName(node);
    if (name.empty()) return Role::kSkip;
    const auto found = roles_.find(name);
    return found == roles_.end() ? Role::kDescend : found->second;
  }

  // Returns the paragraphs in `root`, such as a note, however deep they lie, but not those inside
  // another one or inside what is skipped. It does not recurse.
  std::vector<pugi::xml_node> ParagraphsIn(pugi::xml_node root) const {
    std::vector<pugi::xml_node> paragraphs;
    for (pugi::xml_node node = root; node;) {
      const Role role = Of(node);
      if (role == Role::kParagraph) paragraphs.push_back(node);
      const bool enters = role != Role::kParagraph && role != Role::kSkip;
      node = enters ? NextInDocument(node, root) : NextAfter(node, root);
    }
    return paragraphs;
  }

 private:
  std::unordered_map<std::string_view, Role> roles_;
};

}  // namespace tome
