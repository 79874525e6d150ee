// Character classes for pre-tokenizers. Their tables are built once from ICU's data, so that a
// character costs one lookup and no loop over a text calls ICU.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tome {

using ClassBits = uint16_t;
inline constexpr ClassBits kLetter = 1;       // \p{L}
inline constexpr ClassBits kNumber = 2;       // \p{N}
inline constexpr ClassBits kSpace = 4;        // White_Space, the meaning of \s in these patterns
inline constexpr ClassBits kPunctuation = 8;  // \p{P}
inline constexpr ClassBits kSymbol = 16;      // \p{S}
inline constexpr ClassBits kMark = 32;        // \p{M}
inline constexpr ClassBits kNonSpacing = 64;  // \p{Mn}
inline constexpr ClassBits kWordChar = 128;   // \w: alphabetic, marks, digits, connectors, joiners
inline constexpr ClassBits kOther = 256;      // \p{C} except tab and line ends
inline constexpr ClassBits kIdeograph = 512;  // the blocks that BERT surrounds with spaces

// One character of a text that may be ill-formed. An ill-formed byte counts as a character of its
// own with a code point above U+10FFFF (kIllFormed + byte) and no class.
struct TextChar {
  char32_t code_point;
  uint32_t bytes;
};
inline constexpr char32_t kIllFormed = 0x110000;

// Returns the character at `i` < text.size().
inline TextChar CharAt(std::string_view text, size_t i) {
  const auto byte = [&](size_t k) { return static_cast<unsigned char>(text[k]); };
  const auto follows = [&](size_t k) { return (byte(k) & 0xC0) == 0x80; };
  const unsigned char first = byte(i);
  if (first < 0x80) return {first, 1};
  const size_t left = text.size() - i;
  if (first >= 0xC2 && first < 0xE0 && left >= 2 && follows(i + 1)) {
    return {static_cast<char32_t>((first & 0x1F) << 6 | (byte(i + 1) & 0x3F)), 2};
  }
  if ((first & 0xF0) == 0xE0 && left >= 3 && follows(i + 1) && follows(i + 2)) {
    const auto c = static_cast<char32_t>((first & 0x0F) << 12 | (byte(i + 1) & 0x3F) << 6 |
                                         (byte(i + 2) & 0x3F));
    if (c >= 0x800 && (c < 0xD800 || c > 0xDFFF)) return {c, 3};
  }
  if ((first & 0xF8) == 0xF0 && left >= 4 && follows(i + 1) && follows(i + 2) && follows(i + 3)) {
    const auto c = static_cast<char32_t>((first & 0x07) << 18 | (byte(i + 1) & 0x3F) << 12 |
                                         (byte(i + 2) & 0x3F) << 6 | (byte(i + 3) & 0x3F));
    if (c >= 0x10000 && c <= 0x10FFFF) return {c, 4};
  }
  return {kIllFormed + first, 1};
}

// Returns the beginning of the character that ends at `end` > begin; it is at or after `begin`.
inline size_t PreviousChar(std::string_view text, size_t begin, size_t end) {
  for (size_t back = 2; back <= 4 && begin + back <= end; ++back) {
    if (CharAt(text.substr(0, end), end - back).bytes == back) return end - back;
  }
  return end - 1;
}

class CharClasses {
 public:
  static const CharClasses& Get();

  ClassBits Of(char32_t code_point) const {
    if (code_point > 0x10FFFF) return 0;
    return blocks_[size_t{index_[code_point >> 8]} << 8 | (code_point & 0xFF)];
  }
  ClassBits OfAscii(unsigned char byte) const { return blocks_[byte]; }

 private:
  CharClasses();

  // The block number of each 256 code points; the first block has number 0.
  std::array<uint16_t, 0x1100> index_{};
  std::vector<ClassBits> blocks_;
};

// A set of characters, given as an ICU set pattern ("[\\p{L}0-9]"). Contains takes constant time.
class CodePointSet {
 public:
  explicit CodePointSet(std::string_view icu_pattern);

  bool Contains(char32_t code_point) const {
    if (code_point > 0x10FFFF) return false;
    const uint64_t word = blocks_[size_t{index_[code_point >> 8]} * 4 + ((code_point & 0xFF) >> 6)];
    return (word >> (code_point & 63) & 1) != 0;
  }

 private:
  std::array<uint16_t, 0x1100> index_{};
  std::vector<uint64_t> blocks_;  // 256 bits a block
};

}  // namespace tome
