// The table of contents of an EPUB: nav.xhtml of EPUB 3, toc.ncx of EPUB 2.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tome {

struct ContentsEntry {
  std::string title;
  std::string path;  // the part that it leads to; of an entry without link, that of the next one
  int level = 1;     // 1 is the outermost
  bool has_link = true;
  bool has_fragment = false;  // it leads into the middle of the part, or says so
  bool has_children = false;
};

// The entries in order. `part` is where the tree comes from: links are relative to it. Entries
// without title or whose link leads out of the book are left out. Recursive: at most
// kMaxElementDepth deep.
std::vector<ContentsEntry> ContentsOfNav(pugi::xml_node root, std::string_view part);
std::vector<ContentsEntry> ContentsOfNcx(pugi::xml_node root, std::string_view part);

}  // namespace tome
