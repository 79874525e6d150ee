#include "tome/text/tokenizer/byte_alphabet.h"

#include <array>

#include "tome/text/tokenizer/char_classes.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

struct Alphabet {
  std::array<std::string, 256> letters;
  std::array<int16_t, 0x144> bytes;  // by code point; -1: no letter of the alphabet

  Alphabet() {
    bytes.fill(-1);
    char32_t next = 0x100;
    for (int b = 0; b < 256; ++b) {
      const bool itself = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      const char32_t letter = itself ? static_cast<char32_t>(b) : next++;
      AppendUtf8(letter, letters[static_cast<size_t>(b)]);
      bytes[letter] = static_cast<int16_t>(b);
    }
  }
};

const Alphabet& TheAlphabet() {
  static const Alphabet kAlphabet;
  return kAlphabet;
}

}  // namespace

std::string_view LetterOfByte(uint8_t byte) { return TheAlphabet().letters[byte]; }

std::optional<std::string> BytesOfLetters(std::string_view piece) {
  const Alphabet& alphabet = TheAlphabet();
  std::string bytes;
  bytes.reserve(piece.size());
  for (size_t i = 0; i < piece.size();) {
    const TextChar c = CharAt(piece, i);
    if (c.code_point >= alphabet.bytes.size() || alphabet.bytes[c.code_point] < 0)
      return std::nullopt;
    bytes += static_cast<char>(alphabet.bytes[c.code_point]);
    i += c.bytes;
  }
  return bytes;
}

}  // namespace tome
