// Byte pair encoding: a word begins as characters (or bytes) and the neighbouring pair of the
// lowest rank is merged, the leftmost first, until no pair has a rank (Sennrich et al. 2016, arXiv
// 1508.07909).
//
// SentencePiece's BPE is the same with another table: the pair of the highest score is merged, a
// pair having the score of the piece that it makes; MergesFromScores writes that as ranks.
//
// Words of up to kShortWord symbols look for the lowest rank by walking, longer ones keep a heap:
// the time for n symbols is O(n log n).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/text/tokenizer/piece_index.h"
#include "tome/text/tokenizer/word_model.h"

namespace tome {

struct BpeMerge {
  TokenId left;
  TokenId right;
  uint32_t rank;
  TokenId result;
};

struct BpeSpec {
  // Lowest rank first or not; of equal pairs the first counts.
  std::vector<BpeMerge> merges;
  // Symbols of merges that are no tokens: the text of id vocabulary size + i. MergesFromScores
  // needs them for characters that only pieces of several characters hold.
  std::vector<std::string> extra_symbols;

  // Words are bytes and pieces are written in the alphabet of byte_alphabet.h; else words are
  // UTF-8.
  bool byte_level = false;
  // A whole word that is a piece is that token, whatever the merges say.
  bool ignore_merges = false;
  // What stands for a symbol that is no piece: its bytes, or the unknown token, or nothing. At byte
  // level it is nothing: such a vocabulary has a piece a byte, but for bytes of no text in use.
  std::optional<ByteTokens> byte_tokens;
  std::optional<TokenId> unknown;
  bool fuse_unknown = false;      // neighbouring unknown symbols become one token
  std::string continuing_prefix;  // how pieces that do not begin a word begin
  std::string word_suffix;        // how pieces that end a word end ("</w>")
  // Unused pieces and those that are never part of text; merges that make one do not count.
  std::vector<bool> excluded;
};

class BpeModel : public WordModel {
 public:
  // `pieces` must outlive the model.
  BpeModel(const PieceIndex& pieces, BpeSpec spec);

  void Encode(std::string_view word, EncodeScratch& scratch,
              std::vector<TokenId>& out) const override;

 private:
  static constexpr uint32_t kNoRank = UINT32_MAX;
  static constexpr size_t kShortWord = 40;
  static constexpr TokenId kNoSymbol = -1;

  struct Entry {
    uint64_t pair = UINT64_MAX;
    uint32_t rank = kNoRank;
    TokenId result = -1;
  };
  struct Found {
    uint32_t rank;
    TokenId result;
  };

  Found FindMerge(TokenId left, TokenId right) const {
    if ((left | right) < 0) return {kNoRank, -1};
    const uint64_t pair =
        uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
    for (size_t slot = pair * 0x9E3779B97F4A7C15 >> merge_shift_;;
         slot = (slot + 1) & merge_mask_) {
      const Entry& entry = merges_[slot];
      if (entry.pair == pair || entry.rank == kNoRank) return {entry.rank, entry.result};
    }
  }
  TokenId SymbolOf(std::string_view symbol, char32_t code_point, bool first, bool last) const;
  void InsertMerge(const BpeMerge& merge);
  void BuildSymbols();
  void EncodePart(std::string_view part, EncodeScratch& scratch, size_t word_start,
                  std::vector<TokenId>& out) const;
  void ReadSymbols(std::string_view part, EncodeScratch& scratch) const;
  size_t MergeShort(EncodeScratch& scratch) const;
  size_t MergeLong(EncodeScratch& scratch) const;
  void Emit(TokenId symbol, std::string_view text, size_t word_start,
            std::vector<TokenId>& out) const;

  const PieceIndex& pieces_;
  BpeSpec spec_;
  std::vector<Entry> merges_;
  size_t merge_mask_ = 0;
  uint32_t merge_shift_ = 0;
  std::array<TokenId, 256> byte_symbols_{};       // byte level: the symbol of a byte
  std::array<TokenId, 256> last_byte_symbols_{};  // … that ends a word
  std::vector<uint16_t> char_index_;              // else: block of each 256 code points
  std::vector<TokenId> char_symbols_;
  PieceIndex words_;  // with ignore_merges at byte level: the bytes of each piece
  std::unique_ptr<NeighbourSet> neighbours_;  // null where words must not be cut
};

// The merges of SentencePiece's BPE, for pieces that are not excluded; fills spec.merges and
// spec.extra_symbols. Throws Error(kUnsupported) naming `field` for a piece of more than 512 bytes.
void MergesFromScores(const PieceIndex& pieces, const std::vector<float>& scores,
                      std::string_view field, BpeSpec& spec);

}  // namespace tome
