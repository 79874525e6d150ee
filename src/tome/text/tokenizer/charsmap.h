// SentencePiece's compiled normalization ("precompiled_charsmap"). At each place of a text, the
// longest prefix that the map knows is replaced; a character without such a prefix is kept.
//
// Layout, little-endian:
//   u32          size of the trie in bytes
//   u32 units    the trie, a double array by the Darts-clone library
//   bytes        the replacements, each ended by a NUL; the trie's values are offsets into them
//
// A unit has its label in bits 0-7 (bit 31 set: the unit is a value), "has a value" in bit 8, and
// the offset to its children in bits 10-30, times 256 where bit 9 is set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tome {

class Charsmap {
 public:
  // Throws Error(kCorrupt) naming `field` where sizes contradict each other or the last replacement
  // has no end. A trie that leads outside of itself or of the replacements is harmless: it matches
  // nothing there.
  Charsmap(std::string_view bytes, std::string_view field);

  // Returns the normalized text. Each ill-formed byte becomes U+FFFD.
  std::string Normalize(std::string_view text) const;

 private:
  struct Match {
    size_t bytes = 0;  // matched bytes of the text; 0: no match
    std::string_view replacement;
  };
  Match Longest(std::string_view text) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
};

}  // namespace tome
