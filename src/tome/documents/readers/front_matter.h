// ReadFrontMatter reads the YAML block between "---" lines at the start of many Markdown files.
#pragma once

#include <string>
#include <string_view>

namespace tome {

struct FrontMatter {
  size_t size = 0;    // bytes that it takes at the start of the text; 0 without front matter
  std::string title;  // the value of `title:`, unquoted; empty without one
};

// A text that merely begins with a thematic break ("---") has no front matter: every line up to the
// closing "---" or "..." must look like YAML, and one of them must have a key.
FrontMatter ReadFrontMatter(std::string_view utf8);

}  // namespace tome
