#include "tome/text/tokenizer/word_model.h"

#include <algorithm>
#include <bit>

namespace tome {

WordCache::WordCache(size_t text_bytes)
    : slots_(std::clamp<size_t>(std::bit_ceil(text_bytes / 8 + 1), 16, size_t{1} << 14)),
      mask_(slots_.size() - 1) {}

std::optional<uint8_t> ByteOfPiece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return std::nullopt;
  int value = 0;
  for (const char c : piece.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value * 16 + digit;
  }
  return static_cast<uint8_t>(value);
}

std::optional<ByteTokens> FindByteTokens(const PieceIndex& pieces) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  ByteTokens tokens{};
  for (size_t b = 0; b < 256; ++b) {
    const std::string piece{'<', '0', 'x', kHex[b >> 4], kHex[b & 15], '>'};
    const std::optional<TokenId> id = pieces.Find(piece);
    if (!id) return std::nullopt;
    tokens[b] = *id;
  }
  return tokens;
}

NeighbourSet::NeighbourSet(const std::vector<std::string_view>& pieces) {
  std::vector<std::pair<char32_t, char32_t>> pairs;
  for (const std::string_view piece : pieces) {
    if (piece.empty()) continue;
    TextChar left = CharAt(piece, 0);
    for (size_t i = left.bytes; i < piece.size();) {
      const TextChar right = CharAt(piece, i);
      pairs.emplace_back(left.code_point, right.code_point);
      left = right;
      i += right.bytes;
    }
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  // With 32 bits for each pair, 3 of 100 other pairs are mistaken for one of them.
  const size_t bits = std::clamp<size_t>(std::bit_ceil(pairs.size() * 32), 64, size_t{1} << 27);
  bits_.assign(bits / 64, 0);
  shift_ = static_cast<uint32_t>(64 - std::countr_zero(bits));
  for (const auto& [left, right] : pairs) {
    const uint64_t bit = BitOf(left, right);
    bits_[bit >> 6] |= uint64_t{1} << (bit & 63);
  }
}

}  // namespace tome
