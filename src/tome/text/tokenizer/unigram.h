// SentencePiece's unigram language model (Kudo 2018, arXiv 1804.10959). Of all ways to write a word
// as pieces it takes the one with the highest sum of log-probabilities, found by Viterbi's
// algorithm.
//
// A character that is no piece costs the lowest score minus 10. Neighbouring characters of that
// kind become one unknown token, or their bytes where the vocabulary has byte tokens.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "tome/text/tokenizer/piece_index.h"
#include "tome/text/tokenizer/piece_trie.h"
#include "tome/text/tokenizer/word_model.h"

namespace tome {

struct UnigramSpec {
  std::vector<double> scores;  // one finite score for each piece
  std::optional<TokenId> unknown;
  std::optional<ByteTokens> byte_tokens;
  std::vector<bool> excluded;  // pieces that text never becomes
};

class UnigramModel : public WordModel {
 public:
  // `pieces` must outlive the model.
  UnigramModel(const PieceIndex& pieces, UnigramSpec spec);

  void Encode(std::string_view word, EncodeScratch& scratch,
              std::vector<TokenId>& out) const override;

 private:
  void EncodePart(std::string_view part, EncodeScratch& scratch, size_t word_start,
                  std::vector<TokenId>& out) const;

  UnigramSpec spec_;
  PieceTrie trie_;
  double unknown_score_ = 0;
  std::unique_ptr<NeighbourSet> neighbours_;
};

}  // namespace tome
