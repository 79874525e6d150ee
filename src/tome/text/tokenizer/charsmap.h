// SentencePiece's compiled normalization ("precompiled_charsmap"): the longest prefix of the text
// that the map knows is replaced, else a character is kept.
//
// Layout, little-endian: u32 size of the trie in bytes; the trie, a double array of u32 units by
// the Darts-clone library; then the replacements, each ended by a NUL, which the trie's values are
// offsets into. A unit has the label in bits 0-7 (with bit 31: it is a value), "has a value" in bit
// 8, and the offset to its children in bits 10-30, times 256 where bit 9 is set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tome {

class Charsmap {
 public:
  // Throws Error(kCorrupt) that names `field` where sizes contradict each other. A trie that leads
  // outside of itself or of the replacements is harmless: it matches nothing there.
  Charsmap(std::string_view bytes, std::string_view field);

  // Each ill-formed byte becomes U+FFFD.
  std::string Normalize(std::string_view text) const;

 private:
  struct Match {
    size_t bytes = 0;  // of the text; 0: none
    std::string_view replacement;
  };
  Match Longest(std::string_view text) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
};

}  // namespace tome
