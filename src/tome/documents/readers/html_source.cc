#include "tome/documents/readers/html_source.h"

#include <algorithm>
#include <array>

namespace tome {
namespace {

constexpr size_t kPrescanBytes = 4096;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string Lowered(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

// Returns the name after `key` and '=' in one tag: charset="x", charset = x, "text/html;
// charset=x".
std::optional<std::string> ValueAfter(std::string_view tag, std::string_view key) {
  const size_t found = Lowered(tag).find(key);
  if (found == std::string_view::npos) return std::nullopt;
  std::string_view rest = tag.substr(found + key.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
  if (!rest.starts_with('=')) return std::nullopt;
  rest.remove_prefix(1);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n\"'"), rest.size()));
  const std::string_view name = rest.substr(0, rest.find_first_of(" \t\r\n\"';/>?"));
  if (name.empty()) return std::nullopt;
  return std::string(name);
}

bool IsVoid(std::string_view name) {
  constexpr std::array<std::string_view, 15> kVoid = {"area",  "base",  "br",     "col",   "embed",
                                                      "frame", "hr",    "img",    "input", "link",
                                                      "meta",  "param", "source", "track", "wbr"};
  return std::find(kVoid.begin(), kVoid.end(), name) != kVoid.end();
}

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// Returns the length of the tag that `text` begins with, '>' included. A '>' in quotes does not end
// it.
size_t TagLength(std::string_view text) {
  char quote = 0;
  for (size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      return i + 1;
    }
  }
  return text.size();
}

void AppendEscaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += c;
    }
  }
}

// Copies the construct that `rest` begins with ('<') to `out` and returns its length.
size_t CopyMarkup(std::string_view rest, bool& in_foreign, std::string& out) {
  constexpr std::string_view kCdata = "<![CDATA[";
  const auto through = [&](std::string_view end, size_t from) {
    const size_t found = rest.find(end, from);
    return found == std::string_view::npos ? rest.size() : found + end.size();
  };
  if (rest.starts_with("<!--")) {
    const size_t length = through("-->", 4);
    out.append(rest, 0, length);
    return length;
  }
  if (rest.starts_with(kCdata)) {
    const size_t end = rest.find("]]>", kCdata.size());
    const size_t stop = std::min(end, rest.size());
    AppendEscaped(rest.substr(kCdata.size(), stop - kCdata.size()), out);
    return end == std::string_view::npos ? rest.size() : end + 3;
  }
  const bool is_end_tag = rest.starts_with("</");
  size_t name_end = is_end_tag ? 2 : 1;
  while (name_end < rest.size() && IsNameByte(rest[name_end])) ++name_end;
  const std::string_view name = rest.substr(is_end_tag ? 2 : 1, name_end - (is_end_tag ? 2 : 1));
  if (name.empty()) {
    out += '<';
    return 1;
  }
  const size_t length = TagLength(rest);
  const std::string_view tag = rest.substr(0, length);
  const bool is_empty = !is_end_tag && tag.ends_with("/>");
  if ((name == "svg" || name == "math") && !is_empty) in_foreign = !is_end_tag;
  if (!is_empty || in_foreign || IsVoid(Lowered(name))) {
    out.append(tag);
    return length;
  }
  out.append(tag, 0, tag.size() - 2);
  out.append("></").append(name).append(">");
  return length;
}

// Returns the length of a script or style sheet that `rest` begins with, without its end tag, or
// else 0. XHTML often hides these from HTML as CDATA in comments; nothing in them is visible.
size_t RawTextLength(std::string_view rest) {
  for (const std::string_view name : {"script", "style"}) {
    if (!rest.substr(1).starts_with(name)) continue;
    if (rest.size() > name.size() + 1 && IsNameByte(rest[name.size() + 1])) continue;
    const size_t tag = TagLength(rest);
    if (rest.substr(0, tag).ends_with("/>")) return 0;
    const size_t end = rest.find(name == "script" ? "</script" : "</style", tag);
    return std::min(end, rest.size());
  }
  return 0;
}

}  // namespace

std::optional<std::string> DeclaredEncoding(std::string_view bytes) {
  std::string_view head = bytes.substr(0, kPrescanBytes);
  if (head.starts_with("<?xml")) {
    if (auto name = ValueAfter(head.substr(0, head.find("?>")), "encoding")) return name;
  }
  const std::string lower = Lowered(head);
  for (size_t at = lower.find("<meta"); at != std::string::npos; at = lower.find("<meta", at + 5)) {
    const std::string_view tag = head.substr(at, TagLength(head.substr(at)));
    if (auto name = ValueAfter(tag, "charset")) return name;
  }
  return std::nullopt;
}

bool IsXhtml(std::string_view utf8) {
  std::string_view head = utf8.substr(0, kPrescanBytes);
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  return head.starts_with("<?xml") ||
         head.find("http://www.w3.org/1999/xhtml") != std::string_view::npos;
}

std::string XhtmlToHtml(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size() + utf8.size() / 16);
  bool in_foreign = false;
  for (size_t i = 0; i < utf8.size();) {
    const size_t markup = std::min(utf8.find('<', i), utf8.size());
    out.append(utf8, i, markup - i);
    i = markup;
    if (i == utf8.size()) break;
    const std::string_view rest = utf8.substr(i);
    if (const size_t raw = RawTextLength(rest); raw > 0) {
      out.append(rest, 0, raw);
      i += raw;
    } else {
      i += CopyMarkup(rest, in_foreign, out);
    }
  }
  return out;
}

}  // namespace tome
