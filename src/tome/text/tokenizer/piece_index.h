// From the text of a piece to its id: an open-addressed hash table over strings kept elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/text/vocabulary_spec.h"

namespace tome {

// Spreads 64 bits over 64 bits (the finalizer of SplitMix64).
inline uint64_t MixBits(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

uint64_t HashBytes(std::string_view bytes);

// Owns the pieces; ids are their positions. Empty pieces cannot be found; of equal ones the first
// is.
class PieceIndex {
 public:
  PieceIndex() = default;
  explicit PieceIndex(std::vector<std::string> pieces);

  std::optional<TokenId> Find(std::string_view piece) const;
  const std::vector<std::string>& pieces() const { return pieces_; }
  size_t size() const { return pieces_.size(); }

 private:
  std::vector<std::string> pieces_;
  std::vector<TokenId> slots_;  // a power of two of them; -1: free
};

}  // namespace tome
