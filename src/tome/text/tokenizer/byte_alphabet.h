// The alphabet of byte-level BPE has a printable character for each byte, so that pieces are text.
//
// Bytes 0x21-0x7E, 0xA1-0xAC and 0xAE-0xFF stand for the character of the same number, and the
// other 68 bytes for U+0100, U+0101 … in increasing order: space is "Ġ" (U+0120), line feed "Ċ"
// (U+010A).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tome {

// Returns the character of a byte, as UTF-8.
std::string_view LetterOfByte(uint8_t byte);

// Returns the bytes that a piece written in the alphabet stands for. Empty where a character does
// not belong to the alphabet.
std::optional<std::string> BytesOfLetters(std::string_view piece);

}  // namespace tome
