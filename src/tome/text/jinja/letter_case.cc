// ChangeCase: Python's upper, lower, title, capitalize and swapcase, character by character, so
// that each result keeps the origin of the character that it comes from.
#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <string>

#include "tome/text/jinja/python_text.h"
#include "tome/text/unicode.h"

namespace tome::jinja {
namespace {

constexpr char32_t kCapitalSigma = 0x3A3;
constexpr char32_t kFinalSigma = 0x3C2;

bool IsCased(char32_t c) { return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_CASED); }

// Returns one character in another case. The result is a text because the capital of "ß" is "SS".
std::string Mapped(char32_t c, Case to) {
  std::string out;
  if (c < 0x80) {  // a shortcut for most text
    const bool upper = c >= 'A' && c <= 'Z';
    const bool lower = c >= 'a' && c <= 'z';
    if (to == Case::kLower && upper) c += 'a' - 'A';
    if (to != Case::kLower && lower) c -= 'a' - 'A';
    AppendUtf8(c, out);
    return out;
  }
  icu::UnicodeString text(static_cast<UChar32>(c));
  const icu::Locale& root = icu::Locale::getRoot();
  if (to == Case::kLower) {
    text.toLower(root);
  } else if (to == Case::kUpper) {
    text.toUpper(root);
  } else {
    text.toTitle(nullptr, root);
  }
  text.toUTF8String(out);
  return out;
}

Case CaseOf(char32_t c, Case to, bool first, bool after_cased) {
  switch (to) {
    case Case::kTitle:
      return after_cased ? Case::kLower : Case::kTitle;
    case Case::kCapitalized:
      return first ? Case::kTitle : Case::kLower;
    case Case::kSwapped:
      return u_isUUppercase(static_cast<UChar32>(c)) ? Case::kLower : Case::kUpper;
    default:
      return to;
  }
}

}  // namespace

MarkedText ChangeCase(const MarkedText& text, Case to) {
  const std::string_view bytes = text.text();
  MarkedText out;
  bool after_cased = false;
  for (uint64_t at = 0; at < bytes.size();) {
    const uint64_t begin = at;
    const char32_t c = NextCodePoint(bytes, at);
    const Origin origin = text.OriginOf(begin, at);
    const Case mapping = CaseOf(c, to, begin == 0, after_cased);
    if (c == kCapitalSigma && mapping == Case::kLower) {
      // A small sigma at the end of a word has a form of its own.
      uint64_t next = at;
      const bool ends = next == bytes.size() || !IsCased(NextCodePoint(bytes, next));
      std::string sigma;
      AppendUtf8(after_cased && ends ? kFinalSigma : char32_t{0x3C3}, sigma);
      out.Append(sigma, origin);
    } else {
      out.Append(Mapped(c, mapping), origin);
    }
    after_cased = IsCased(c);
  }
  return out;
}

}  // namespace tome::jinja
