#include "tome/text/jinja/string_literal.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>

#include "tome/base/error.h"
#include "tome/text/unicode.h"

namespace tome::jinja {
namespace {

// Appends the character of `digits` hexadecimal digits at `at` and moves `at` past them.
void AppendHexadecimal(std::string_view inner, size_t& at, size_t digits, std::string& out) {
  const std::string_view number = inner.substr(at, digits);
  uint32_t value = 0;
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), value, 16);
  if (number.size() != digits || error != std::errc() || end != number.data() + digits) {
    throw Error(Code::kCorrupt,
                fmt::format("an escape \\{} needs {} hexadecimal digits", inner[at - 1], digits));
  }
  if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    throw Error(Code::kCorrupt, fmt::format("an escape \\{}{} is no character; write it itself",
                                            inner[at - 1], number));
  }
  AppendUtf8(value, out);
  at += digits;
}

void AppendOctal(std::string_view inner, size_t& at, std::string& out) {
  char32_t value = 0;
  for (int digits = 0; digits < 3 && at < inner.size() && inner[at] >= '0' && inner[at] <= '7';
       ++digits) {
    value = value * 8 + static_cast<char32_t>(inner[at++] - '0');
  }
  AppendUtf8(value, out);
}

}  // namespace

std::string ResolveEscapes(std::string_view inner) {
  static constexpr std::string_view kLetters = "ntr\\'\"abfv";
  static constexpr std::string_view kMeanings = "\n\t\r\\'\"\a\b\f\v";
  std::string out;
  size_t at = 0;
  while (at < inner.size()) {
    const char c = inner[at++];
    if (c != '\\' || at == inner.size()) {
      out.push_back(c);
      continue;
    }
    const char letter = inner[at];
    if (letter >= '0' && letter <= '7') {
      AppendOctal(inner, at, out);
      continue;
    }
    ++at;
    if (const size_t known = kLetters.find(letter); known != std::string_view::npos) {
      out.push_back(kMeanings[known]);
    } else if (letter == 'x' || letter == 'u' || letter == 'U') {
      AppendHexadecimal(inner, at, letter == 'x' ? 2 : letter == 'u' ? 4 : 8, out);
    } else if (letter == 'N') {
      throw Error(Code::kCorrupt, "an escape \\N{…}; write the character itself");
    } else if (letter != '\n') {  // an escaped line end is dropped
      out.push_back('\\');
      out.push_back(letter);
    }
  }
  return out;
}

}  // namespace tome::jinja
