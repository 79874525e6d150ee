// These functions read the table of contents of an EPUB: nav.xhtml of EPUB 3, toc.ncx of EPUB 2.
#pragma once

#include <pugixml.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tome {

struct ContentsEntry {
  std::string title;
  std::string path;  // the part that it leads to; without a link, the part of the next entry
  int level = 1;     // 1 is the outermost
  bool has_link = true;
  bool has_fragment = false;  // its link names a place inside the part, which may be the top
  bool has_children = false;
};

// Return the entries in order. `part` is the part that the tree comes from; links are relative to
// it. An entry is left out if it has no title, if its link leads out of the book, or if it has
// neither a link nor an entry below it. The recursion is at most kMaxElementDepth deep.
std::vector<ContentsEntry> ContentsOfNav(pugi::xml_node root, std::string_view part);
std::vector<ContentsEntry> ContentsOfNcx(pugi::xml_node root, std::string_view part);

}  // namespace tome
