// UTF-8 text: validity, repair, normalization form C, white space, counting.
//
// All functions are pure and accept any bytes. The ICU data they need is built into ICU; failure to
// load it means a broken installation and throws Error(kIo).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tome {

// Returns true for well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF).
bool IsValidUtf8(std::string_view bytes);

// Returns `bytes` in normalization form C with each ill-formed sequence replaced by U+FFFD. "\r\n",
// "\r", U+000B, U+000C, U+0085, U+2028 and U+2029 become "\n". NUL, all other control characters
// except "\n" and "\t", and U+FEFF are dropped.
std::string NormalizeText(std::string_view bytes);

// Replaces each run of white space (Unicode White_Space, line ends included) by one space and drops
// white space at both ends. The no-break space counts as white space; U+200B (zero width) is
// dropped.
std::string CollapseWhiteSpace(std::string_view utf8);

// Returns true for Unicode White_Space, which includes the no-break and the ideographic space.
bool IsWhiteSpace(char32_t code_point);

// Returns true for a letter or a digit of any script, false for combining marks, punctuation and
// symbols.
bool IsLetterOrDigit(char32_t code_point);

// Returns the number of code points of well-formed UTF-8.
uint64_t CountCodePoints(std::string_view utf8);

// Decodes the code point at `offset` of well-formed UTF-8 and moves `offset` past it.
char32_t NextCodePoint(std::string_view utf8, uint64_t& offset);

// Returns `text` with the letters A to Z in lower case and every other byte unchanged. It is for
// names of formats, tags and stop words, not for text (Analyzer folds text).
std::string LowerAscii(std::string_view text);

// Appends a code point as UTF-8.
void AppendUtf8(char32_t code_point, std::string& out);

// Returns true for Han, Hiragana, Katakana, Hangul, Bopomofo and their full-width and half-width
// forms: scripts that are written without spaces, and Hangul, which is searched best by pairs of
// characters. Punctuation is not included.
bool IsCjk(char32_t code_point);

// Returns `offset`, moved back if needed to the first byte of the code point that it falls into.
uint64_t FloorToCodePoint(std::string_view utf8, uint64_t offset);

}  // namespace tome
