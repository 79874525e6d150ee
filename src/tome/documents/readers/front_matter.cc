#include "tome/documents/readers/front_matter.h"

#include <algorithm>

namespace tome {
namespace {

constexpr size_t kMaxFrontMatterBytes = size_t{64} << 10;

std::string_view TrimRight(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\r");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string_view Trim(std::string_view text) {
  text = TrimRight(text);
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text;
}

// Returns whether the line is "key: value", "key:", a comment, an item, indented, or empty.
bool LooksLikeYaml(std::string_view line) {
  if (line.empty() || line[0] == ' ' || line[0] == '\t' || line[0] == '#') return true;
  if (line == "-" || line.starts_with("- ")) return true;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  if (colon + 1 < line.size() && line[colon + 1] != ' ') return false;
  return line.substr(0, colon).find_first_of(" \t*[`") == std::string_view::npos;
}

std::string Unquoted(std::string_view value) {
  value = Trim(value);
  const bool is_quoted = value.size() >= 2 && value.front() == value.back() &&
                         (value.front() == '"' || value.front() == '\'');
  if (!is_quoted) return std::string(value.substr(0, value.find(" #")));
  const char quote = value.front();
  std::string out;
  value = value.substr(1, value.size() - 2);
  for (size_t i = 0; i < value.size(); ++i) {
    const bool is_escaped =
        i + 1 < value.size() && ((quote == '"' && value[i] == '\\') ||
                                 (quote == '\'' && value[i] == '\'' && value[i + 1] == '\''));
    out += value[is_escaped ? ++i : i];
  }
  return out;
}

}  // namespace

FrontMatter ReadFrontMatter(std::string_view utf8) {
  FrontMatter front_matter;
  size_t begin = utf8.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  const std::string_view head = utf8.substr(0, kMaxFrontMatterBytes);
  bool is_first = true;
  bool has_key = false;
  while (begin < head.size()) {
    const size_t end = std::min(head.find('\n', begin), head.size());
    const std::string_view line = TrimRight(head.substr(begin, end - begin));
    begin = end + 1;
    if (is_first) {
      if (line != "---") return {};
      is_first = false;
    } else if (line == "---" || line == "...") {
      if (!has_key) return {};
      front_matter.size = std::min(begin, utf8.size());
      return front_matter;
    } else if (!LooksLikeYaml(line)) {
      return {};
    } else if (line.starts_with("title:")) {
      front_matter.title = Unquoted(line.substr(6));
      // The text of a block scalar stands in the lines below. The first heading serves as well.
      if (front_matter.title.starts_with('|') || front_matter.title.starts_with('>')) {
        front_matter.title.clear();
      }
      has_key = true;
    } else {
      has_key |= line.find(':') != std::string_view::npos;
    }
  }
  return {};
}

}  // namespace tome
