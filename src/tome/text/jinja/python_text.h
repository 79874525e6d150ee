// The operations of Python's str on marked UTF-8: every part of a result keeps its origin.
//
// Positions are byte offsets. Where Python counts code points the caller converts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tome/text/marked_text.h"

namespace tome::jinja {

// Evaluates str.isspace for one character: Unicode's white space and U+001C to U+001F.
bool IsPythonSpace(char32_t code_point);

struct Range {
  size_t begin = 0;
  size_t end = 0;
};

enum class Side { kLeft, kRight, kBoth };

// Returns the range that strip, lstrip and rstrip leave. Without `characters` they take white
// space.
Range Strip(std::string_view text, std::optional<std::string_view> characters, Side side);

// FindText returns the first occurrence at or after `from`, FindLastText the last one that ends at
// or before `end`; npos if there is none. Both take linear time.
size_t FindText(std::string_view text, std::string_view needle, size_t from = 0);
size_t FindLastText(std::string_view text, std::string_view needle, size_t end);

// Returns the parts of `text` for split and rsplit, with at most `limit` cuts (below 0: no limit)
// from the left or the right. Without a separator, runs of white space cut and both ends are
// stripped.
std::vector<Range> Split(std::string_view text, std::optional<std::string_view> separator,
                         int64_t limit, Side from);

// Returns the lines of splitlines. The separators are "\n", "\r", "\r\n", U+000B, U+000C, U+001C to
// U+001E, U+0085, U+2028 and U+2029.
struct Line {
  Range text;
  size_t end = 0;  // position after the separator
};
std::vector<Line> SplitLines(std::string_view text);

// Replaces at most `limit` occurrences (below 0: all). An empty `old` occurs before each character
// and at the end.
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

// Escapes & < > " ' as markupsafe does.
MarkedText EscapeHtml(const MarkedText& text);

// Append `text` as Python's repr or json.dumps writes it. Quotes get the origin `quotes`, escapes
// the origin of the escaped character.
void AppendRepr(const MarkedText& text, Origin quotes, MarkedText& out);
enum class JsonText { kUnicode, kAscii };
void AppendJsonText(const MarkedText& text, JsonText characters, Origin quotes, MarkedText& out);

}  // namespace tome::jinja
