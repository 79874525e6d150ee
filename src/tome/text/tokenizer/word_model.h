// The interface of the three kinds of model that turn a word into tokens, and the buffers that a
// call of Encode lends them.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "tome/text/tokenizer/char_classes.h"
#include "tome/text/tokenizer/piece_index.h"
#include "tome/text/vocabulary_spec.h"

namespace tome {

// Remembers where in the output the tokens of a recent short word stand, so that the second "the"
// of a text costs a lookup. The cache is direct-mapped: a word replaces the one that had its place.
class WordCache {
 public:
  // Longer words are not remembered, because they seldom come twice.
  static constexpr size_t kMaxBytes = 23;

  // Sizes the cache for a text of `text_bytes`; clearing a large table does not pay for a short
  // text.
  explicit WordCache(size_t text_bytes);

  struct Slot {
    std::array<uint64_t, 3> key{};  // the bytes, zeros, and in the last byte the length + 1
    uint32_t first = 0;             // position in the output
    uint32_t count = 0;
  };

  // Returns the slot of `word` (at most kMaxBytes) and whether it already holds that word; if not,
  // the caller fills first and count.
  std::pair<Slot*, bool> Look(std::string_view word) {
    std::array<uint64_t, 3> key{};
    std::memcpy(key.data(), word.data(), word.size());
    key[2] |= uint64_t{word.size() + 1} << 56;
    Slot& slot = slots_[MixBits(key[0] ^ MixBits(key[1] ^ key[2] * 0x9E3779B97F4A7C15)) & mask_];
    if (slot.key == key) return {&slot, true};
    slot.key = key;
    return {&slot, false};
  }

 private:
  std::vector<Slot> slots_;
  size_t mask_;
};

// Buffers of one call of Encode, reused from word to word.
struct EncodeScratch {
  explicit EncodeScratch(size_t text_bytes) : cache(text_bytes) {}

  WordCache cache;
  std::vector<int32_t> ids;
  std::vector<uint32_t> starts;
  std::vector<uint32_t> ranks;
  std::vector<int32_t> merged;
  std::vector<uint32_t> next;
  std::vector<uint32_t> previous;
  std::vector<uint64_t> heap;
  std::vector<double> scores;
};

class WordModel {
 public:
  virtual ~WordModel() = default;
  // Appends the tokens of a word, which is not empty and may be ill-formed UTF-8.
  virtual void Encode(std::string_view word, EncodeScratch& scratch,
                      std::vector<TokenId>& out) const = 0;

 protected:
  WordModel() = default;
  WordModel(const WordModel&) = default;
  WordModel& operator=(const WordModel&) = default;
};

// The ids of the pieces "<0x00>" to "<0xFF>".
using ByteTokens = std::array<TokenId, 256>;

// Returns the byte that a piece "<0x41>" stands for. Empty for a piece of another form.
std::optional<uint8_t> ByteOfPiece(std::string_view piece);

// Returns the byte tokens of a vocabulary. Empty where not all 256 exist.
std::optional<ByteTokens> FindByteTokens(const PieceIndex& pieces);

// Holds the pairs of neighbouring characters that some piece contains. Between two characters that
// are no such pair every segmentation has a border. So a long text can be cut there, and its parts
// can be encoded alone.
class NeighbourSet {
 public:
  // Marks the pairs of each of `pieces`.
  explicit NeighbourSet(const std::vector<std::string_view>& pieces);

  // Returns true for every pair that a piece holds, and for a few others (it tests a hashed bit).
  bool MayJoin(char32_t left, char32_t right) const {
    const uint64_t bit = BitOf(left, right);
    return (bits_[bit >> 6] >> (bit & 63) & 1) != 0;
  }

 private:
  uint64_t BitOf(char32_t left, char32_t right) const {
    return (uint64_t{left} << 32 | right) * 0x9E3779B97F4A7C15 >> shift_;
  }

  std::vector<uint64_t> bits_;
  uint32_t shift_;
};

// Calls encode(part) for the parts of `word` that can be encoded alone.
template <typename Encode>
void ForEachPart(const NeighbourSet& neighbours, std::string_view word, Encode&& encode) {
  size_t begin = 0;
  TextChar left = CharAt(word, 0);
  for (size_t i = left.bytes; i < word.size();) {
    const TextChar right = CharAt(word, i);
    if (!neighbours.MayJoin(left.code_point, right.code_point)) {
      encode(word.substr(begin, i - begin));
      begin = i;
    }
    left = right;
    i += right.bytes;
  }
  encode(word.substr(begin));
}

}  // namespace tome
