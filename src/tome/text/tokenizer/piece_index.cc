#include "tome/text/tokenizer/piece_index.h"

#include <bit>
#include <cstring>
#include <utility>

namespace tome {

uint64_t HashBytes(std::string_view bytes) {
  uint64_t hash = bytes.size() * 0x9E3779B97F4A7C15;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    hash = MixBits(hash ^ word);
  }
  uint64_t rest = 0;
  if (i < bytes.size()) std::memcpy(&rest, bytes.data() + i, bytes.size() - i);
  return MixBits(hash ^ rest);
}

PieceIndex::PieceIndex(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {
  slots_.assign(std::bit_ceil(pieces_.size() * 2 + 1), -1);
  const size_t mask = slots_.size() - 1;
  for (size_t id = 0; id < pieces_.size(); ++id) {
    if (pieces_[id].empty()) continue;
    size_t slot = HashBytes(pieces_[id]) & mask;
    while (slots_[slot] >= 0 && pieces_[static_cast<size_t>(slots_[slot])] != pieces_[id]) {
      slot = (slot + 1) & mask;
    }
    if (slots_[slot] < 0) slots_[slot] = static_cast<TokenId>(id);
  }
}

std::optional<TokenId> PieceIndex::Find(std::string_view piece) const {
  if (piece.empty() || slots_.empty()) return std::nullopt;
  const size_t mask = slots_.size() - 1;
  for (size_t slot = HashBytes(piece) & mask; slots_[slot] >= 0; slot = (slot + 1) & mask) {
    if (pieces_[static_cast<size_t>(slots_[slot])] == piece) return slots_[slot];
  }
  return std::nullopt;
}

}  // namespace tome
