#include "tome/text/jinja/python_text.h"

#include <fmt/format.h>
#include <string.h>  // memmem, which is linear for every needle
#include <unicode/uchar.h>

#include <algorithm>
#include <string>

#include "tome/text/unicode.h"

namespace tome::jinja {
namespace {

struct Character {
  char32_t code_point = 0;
  Range range;
};

// Decodes the character before `end`.
Character CharacterBefore(std::string_view text, size_t end) {
  const size_t begin = FloorToCodePoint(text, end - 1);
  uint64_t offset = begin;
  return {NextCodePoint(text, offset), {begin, end}};
}

Character CharacterAt(std::string_view text, size_t begin) {
  uint64_t offset = begin;
  const char32_t code_point = NextCodePoint(text, offset);
  return {code_point, {begin, offset}};
}

bool IsLineEnd(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

// The rest at the limit keeps the white space at its far end.
std::vector<Range> SplitAtSpaces(std::string_view text, int64_t limit, Side from) {
  std::vector<Range> parts;
  Range rest{0, text.size()};
  while (true) {
    const Range stripped =
        Strip(text.substr(rest.begin, rest.end - rest.begin), std::nullopt, from);
    rest = {rest.begin + stripped.begin, rest.begin + stripped.end};
    if (rest.begin == rest.end) break;
    if (limit >= 0 && std::ssize(parts) == limit) {
      parts.push_back(rest);
      break;
    }
    Range word = rest;
    if (from == Side::kLeft) {
      for (word.end = rest.begin; word.end < rest.end;) {
        const Character character = CharacterAt(text, word.end);
        if (IsPythonSpace(character.code_point)) break;
        word.end = character.range.end;
      }
      rest.begin = word.end;
    } else {
      for (word.begin = rest.end; word.begin > rest.begin;) {
        const Character character = CharacterBefore(text, word.begin);
        if (IsPythonSpace(character.code_point)) break;
        word.begin = character.range.begin;
      }
      rest.end = word.begin;
    }
    parts.push_back(word);
  }
  if (from == Side::kRight) std::reverse(parts.begin(), parts.end());
  return parts;
}

}  // namespace

bool IsPythonSpace(char32_t code_point) {
  return (code_point >= 0x1C && code_point <= 0x1F) || IsWhiteSpace(code_point);
}

Range Strip(std::string_view text, std::optional<std::string_view> characters, Side side) {
  std::u32string set;
  for (size_t at = 0; characters && at < characters->size();) {
    const Character character = CharacterAt(*characters, at);
    set.push_back(character.code_point);
    at = character.range.end;
  }
  std::sort(set.begin(), set.end());
  const auto goes = [&](char32_t c) {
    return characters ? std::binary_search(set.begin(), set.end(), c) : IsPythonSpace(c);
  };
  Range range{0, text.size()};
  while (side != Side::kRight && range.begin < range.end) {
    const Character character = CharacterAt(text, range.begin);
    if (!goes(character.code_point)) break;
    range.begin = character.range.end;
  }
  while (side != Side::kLeft && range.begin < range.end) {
    const Character character = CharacterBefore(text, range.end);
    if (!goes(character.code_point)) break;
    range.end = character.range.begin;
  }
  return range;
}

size_t FindText(std::string_view text, std::string_view needle, size_t from) {
  if (from > text.size()) return std::string_view::npos;
  const void* found = memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  if (found == nullptr) return needle.empty() ? from : std::string_view::npos;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

size_t FindLastText(std::string_view text, std::string_view needle, size_t end) {
  // This is the same linear search over both texts reversed.
  std::string reversed(text.substr(0, end));
  std::string pattern(needle);
  std::reverse(reversed.begin(), reversed.end());
  std::reverse(pattern.begin(), pattern.end());
  const size_t found = FindText(reversed, pattern);
  return found == std::string_view::npos ? found : end - found - needle.size();
}

std::vector<Range> Split(std::string_view text, std::optional<std::string_view> separator,
                         int64_t limit, Side from) {
  if (!separator) return SplitAtSpaces(text, limit, from);
  std::vector<Range> parts;
  if (from == Side::kLeft) {
    size_t begin = 0;
    while (limit < 0 || std::ssize(parts) < limit) {
      const size_t found = FindText(text, *separator, begin);
      if (found == std::string_view::npos) break;
      parts.push_back({begin, found});
      begin = found + separator->size();
    }
    parts.push_back({begin, text.size()});
    return parts;
  }
  // From the right, one search in the reversed text finds the cuts.
  std::string reversed(text);
  std::string pattern(*separator);
  std::reverse(reversed.begin(), reversed.end());
  std::reverse(pattern.begin(), pattern.end());
  parts = Split(reversed, pattern, limit, Side::kLeft);
  for (Range& part : parts) part = {text.size() - part.end, text.size() - part.begin};
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<Line> SplitLines(std::string_view text) {
  std::vector<Line> lines;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const Character character = CharacterAt(text, at);
    at = character.range.end;
    if (!IsLineEnd(character.code_point)) continue;
    if (character.code_point == '\r' && at < text.size() && text[at] == '\n') ++at;
    lines.push_back({{begin, character.range.begin}, at});
    begin = at;
  }
  if (begin < text.size()) lines.push_back({{begin, text.size()}, text.size()});
  return lines;
}

MarkedText Replace(const MarkedText& text, std::string_view old, const MarkedText& replacement,
                   int64_t limit) {
  MarkedText out;
  const std::string_view bytes = text.text();
  size_t begin = 0;
  for (int64_t count = 0; limit < 0 || count < limit; ++count) {
    if (old.empty()) {  // an occurrence before each character, and at the end
      out.Append(replacement);
      if (begin == bytes.size()) return out;
      const size_t end = CharacterAt(bytes, begin).range.end;
      out.Append(text, begin, end);
      begin = end;
      continue;
    }
    const size_t found = FindText(bytes, old, begin);
    if (found == std::string_view::npos) break;
    out.Append(text, begin, found);
    out.Append(replacement);
    begin = found + old.size();
  }
  out.Append(text, begin, bytes.size());
  return out;
}

size_t CountText(std::string_view text, std::string_view needle) {
  if (needle.empty()) return CountCodePoints(text) + 1;
  size_t count = 0;
  for (size_t at = FindText(text, needle); at != std::string_view::npos;
       at = FindText(text, needle, at + needle.size())) {
    ++count;
  }
  return count;
}

MarkedText EscapeHtml(const MarkedText& text) {
  MarkedText out;
  const std::string_view bytes = text.text();
  size_t begin = 0;
  for (size_t at = 0; at < bytes.size(); ++at) {
    const char* escape = bytes[at] == '&'    ? "&amp;"
                         : bytes[at] == '<'  ? "&lt;"
                         : bytes[at] == '>'  ? "&gt;"
                         : bytes[at] == '"'  ? "&#34;"
                         : bytes[at] == '\'' ? "&#39;"
                                             : nullptr;
    if (escape == nullptr) continue;
    out.Append(text, begin, at);
    out.Append(escape, text.OriginOf(at, at + 1));
    begin = at + 1;
  }
  out.Append(text, begin, bytes.size());
  return out;
}

namespace {

// Returns true for a character that repr shows unchanged.
bool IsPrintable(char32_t c) {
  if (c == ' ') return true;
  switch (u_charType(static_cast<UChar32>(c))) {
    case U_CONTROL_CHAR:
    case U_FORMAT_CHAR:
    case U_SURROGATE:
    case U_PRIVATE_USE_CHAR:
    case U_UNASSIGNED:
    case U_SPACE_SEPARATOR:
    case U_LINE_SEPARATOR:
    case U_PARAGRAPH_SEPARATOR:
      return false;
    default:
      return true;
  }
}

std::string ReprEscape(char32_t c, char quote) {
  if (c == static_cast<unsigned char>(quote) || c == '\\') return {'\\', static_cast<char>(c)};
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  if (IsPrintable(c)) return "";
  const auto number = static_cast<uint32_t>(c);
  if (c <= 0xFF) return fmt::format("\\x{:02x}", number);
  if (c <= 0xFFFF) return fmt::format("\\u{:04x}", number);
  return fmt::format("\\U{:08x}", number);
}

std::string JsonEscape(char32_t c, JsonText characters) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    default:
      break;
  }
  const auto number = static_cast<uint32_t>(c);
  if (c >= 0x20 && (c < 0x7F || characters == JsonText::kUnicode)) return "";
  if (c <= 0xFFFF) return fmt::format("\\u{:04x}", number);
  return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((number - 0x10000) >> 10),
                     0xDC00 + ((number - 0x10000) & 0x3FF));
}

// Appends `text`. Each character is replaced by the result of `escape`, where that is not empty.
template <typename Escape>
void AppendEscaped(const MarkedText& text, Escape&& escape, MarkedText& out) {
  const std::string_view bytes = text.text();
  size_t begin = 0;
  for (size_t at = 0; at < bytes.size();) {
    const Character character = CharacterAt(bytes, at);
    at = character.range.end;
    const std::string escaped = escape(character.code_point);
    if (escaped.empty()) continue;
    out.Append(text, begin, character.range.begin);
    out.Append(escaped, text.OriginOf(character.range.begin, at));
    begin = at;
  }
  out.Append(text, begin, bytes.size());
}

}  // namespace

void AppendRepr(const MarkedText& text, Origin quotes, MarkedText& out) {
  const bool has_single = text.text().find('\'') != std::string::npos;
  const bool has_double = text.text().find('"') != std::string::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  out.Append({&quote, 1}, quotes);
  AppendEscaped(
      text, [&](char32_t c) { return ReprEscape(c, quote); }, out);
  out.Append({&quote, 1}, quotes);
}

void AppendJsonText(const MarkedText& text, JsonText characters, Origin quotes, MarkedText& out) {
  out.Append("\"", quotes);
  AppendEscaped(
      text, [&](char32_t c) { return JsonEscape(c, characters); }, out);
  out.Append("\"", quotes);
}

}  // namespace tome::jinja
