// Finds the id of a piece by its text, with an open-addressed hash table over the pieces.
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

// Owns the pieces; their positions are their ids. Empty pieces cannot be found. Of equal pieces the
// first one is found.
class PieceIndex {
 public:
  PieceIndex() = default;
  explicit PieceIndex(std::vector<std::string> pieces);

  std::optional<TokenId> Find(std::string_view piece) const;
  const std::vector<std::string>& pieces() const { return pieces_; }
  size_t size() const { return pieces_.size(); }

 private:
  std::vector<std::string> pieces_;
  std::vector<TokenId> slots_;  // ids by hash; the size is a power of two; -1: free
};

}  // namespace tome
