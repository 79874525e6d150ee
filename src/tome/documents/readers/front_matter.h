// The YAML block between "---" lines at the start of many Markdown files.
#pragma once

#include <string>
#include <string_view>

namespace tome {

struct FrontMatter {
  size_t size = 0;    // bytes that it takes at the start of the text; 0 where there is none
  std::string title;  // the value of `title:`, unquoted; empty where it names none
};

// A text that merely begins with a thematic break ("---") has none: every line up to the closing
// "---" or "..." must look like YAML.
FrontMatter ReadFrontMatter(std::string_view utf8);

}  // namespace tome
