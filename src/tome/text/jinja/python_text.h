// What Python's str does with text, on marked UTF-8: every part of a result keeps its origin.
//
// Positions are byte offsets here; where Python counts code points the caller converts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tome/text/marked_text.h"

namespace tome::jinja {

// str.isspace of one character: Unicode's white space and the separators U+001C to U+001F.
bool IsPythonSpace(char32_t code_point);

struct Range {
  size_t begin = 0;
  size_t end = 0;
};

enum class Side { kLeft, kRight, kBoth };

// What strip, lstrip and rstrip leave; without `characters` they take white space.
Range Strip(std::string_view text, std::optional<std::string_view> characters, Side side);

// The first occurrence at or behind `from`, in linear time; npos if there is none.
size_t FindText(std::string_view text, std::string_view needle, size_t from = 0);
size_t FindLastText(std::string_view text, std::string_view needle, size_t end);

// Parts of `text` for split and rsplit: at most `limit` cuts (below 0: all), from the left or from
// the right. Without a separator runs of white space cut, and the ends are stripped.
std::vector<Range> Split(std::string_view text, std::optional<std::string_view> separator,
                         int64_t limit, Side from);

// Lines as splitlines has them; the separators are "\n", "\r", "\r\n", U+000B, U+000C, U+001C to
// U+001E, U+0085, U+2028 and U+2029.
struct Line {
  Range text;
  size_t end = 0;  // behind its separator
};
std::vector<Line> SplitLines(std::string_view text);

// At most `limit` occurrences replaced (below 0: all). An empty `old` stands between characters.
MarkedText Replace(const MarkedText& text, std::string_view old, const MarkedText& replacement,
                   int64_t limit);

size_t CountText(std::string_view text, std::string_view needle);

enum class Case {
  kUpper,
  kLower,
  kTitle,        // str.title: every word
  kCapitalized,  // str.capitalize: the first character
  kSwapped,      // str.swapcase
};
MarkedText ChangeCase(const MarkedText& text, Case to);

// & < > " ' as markupsafe escapes them.
MarkedText EscapeHtml(const MarkedText& text);

// Appends `text` as Python's repr writes it, or as json.dumps does; quotes get the given origin,
// escapes the origin of what they escape.
void AppendRepr(const MarkedText& text, Origin quotes, MarkedText& out);
enum class JsonText { kUnicode, kAscii };
void AppendJsonText(const MarkedText& text, JsonText characters, Origin quotes, MarkedText& out);

}  // namespace tome::jinja
