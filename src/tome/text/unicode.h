// UTF-8 text: validity, repair, normalization form C, white space, counting.
//
// All functions take any bytes and are pure. The ICU data they need is built into ICU; failure to
// load it is a broken installation and throws Error(kIo).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tome {

// True for well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF).
bool IsValidUtf8(std::string_view bytes);

// `bytes` with each ill-formed sequence replaced by U+FFFD, in normalization form C, "\r\n" and
// "\r" turned into "\n", NUL and other control characters but "\n" and "\t" dropped, as well as
// U+FEFF. U+2028 and U+2029 become "\n"; U+000B and U+000C too.
std::string NormalizeText(std::string_view bytes);

// Runs of white space (Unicode White_Space, line ends included) become one space; none at either
// end. The no-break space counts as white space, U+200B (zero width) is dropped.
std::string CollapseWhiteSpace(std::string_view utf8);

// Unicode White_Space: among it the no-break space and the ideographic one.
bool IsWhiteSpace(char32_t code_point);

// A letter or a digit of any script; combining marks, punctuation and symbols are none.
bool IsLetterOrDigit(char32_t code_point);

// The number of code points of well-formed UTF-8.
uint64_t CountCodePoints(std::string_view utf8);

// Decodes the code point at `offset` of well-formed UTF-8 and moves `offset` behind it.
char32_t NextCodePoint(std::string_view utf8, uint64_t& offset);

// `text` with the letters A to Z in lower case and every other byte as it is: for names of formats,
// tags and stop words, not for text (Analyzer folds that).
std::string LowerAscii(std::string_view text);

// Appends a code point as UTF-8.
void AppendUtf8(char32_t code_point, std::string& out);

// Han, Hiragana, Katakana, Hangul, Bopomofo and their full-width and half-width forms: scripts
// written without spaces (or, Hangul, searched best by pairs of characters). Punctuation is not
// included.
bool IsCjk(char32_t code_point);

// `offset` moved back, if need be, to the first byte of the code point that it falls into.
uint64_t FloorToCodePoint(std::string_view utf8, uint64_t offset);

}  // namespace tome
