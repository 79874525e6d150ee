// Byte pair encoding (Sennrich et al. 2016, arXiv 1508.07909). A word begins as characters (or
// bytes). The neighbouring pair of the lowest rank is merged, the leftmost first, until no pair has
// a rank.
//
// SentencePiece's BPE is the same with another table: it merges the pair of the highest score,
// where a pair has the score of the piece that it makes. MergesFromScores writes the scores as
// ranks.
//
// Words of up to kShortWord symbols look for the lowest rank by walking; longer ones keep a heap,
// so that n symbols take O(n log n) time.
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
  // The merges in any order. Of equal pairs the first one counts.
  std::vector<BpeMerge> merges;
  // Symbols of merges that are no tokens; the id of extra_symbols[i] is the size of the vocabulary
  // + i. MergesFromScores needs them for characters that occur only in pieces of several
  // characters.
  std::vector<std::string> extra_symbols;

  // True where words are bytes and pieces are written in the alphabet of byte_alphabet.h; false
  // where words are UTF-8.
  bool byte_level = false;
  // True where a whole word that is a piece becomes that token, whatever the merges say.
  bool ignore_merges = false;
  // A symbol that is no piece becomes its byte tokens where these are set, else the unknown token,
  // else nothing. A byte-level vocabulary needs neither: it has a piece for each byte of any text
  // in use.
  std::optional<ByteTokens> byte_tokens;
  std::optional<TokenId> unknown;
  bool fuse_unknown = false;      // neighbouring unknown symbols become one token
  std::string continuing_prefix;  // begins each piece that does not begin a word
  std::string word_suffix;        // ends each piece that ends a word ("</w>")
  // Unused pieces and pieces that text never becomes. Merges that make one of them do not count.
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
  std::array<TokenId, 256> last_byte_symbols_{};  // byte level: for a byte that ends a word
  std::vector<uint16_t> char_index_;              // not byte level: block of each 256 code points
  std::vector<TokenId> char_symbols_;
  PieceIndex words_;  // byte level with ignore_merges: the bytes of each piece
  std::unique_ptr<NeighbourSet> neighbours_;  // null where words must not be cut
};

// Fills spec.merges and spec.extra_symbols with the merges of SentencePiece's BPE, for pieces that
// are not excluded. Throws Error(kUnsupported) naming `field` for a piece of more than 512 bytes.
void MergesFromScores(const PieceIndex& pieces, const std::vector<float>& scores,
                      std::string_view field, BpeSpec& spec);

}  // namespace tome
