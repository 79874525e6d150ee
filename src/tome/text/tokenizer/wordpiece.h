// WordPiece (Devlin et al. 2018, arXiv 1810.04805). A word becomes its longest piece at the
// beginning, then the longest piece that continues it, and so on. Where no piece continues it, the
// whole word is unknown.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/text/tokenizer/piece_index.h"
#include "tome/text/tokenizer/piece_trie.h"
#include "tome/text/tokenizer/word_model.h"

namespace tome {

struct WordPieceSpec {
  std::optional<TokenId> unknown;  // empty: unknown words are left out
  // Pieces that begin a word begin with `initial_prefix`, the others with `continuing_prefix`. GGUF
  // files usually use "▁" and an empty prefix, tokenizer.json an empty prefix and "##".
  std::string initial_prefix;
  std::string continuing_prefix = "##";
  size_t max_word_chars = 100;  // longer words are unknown
  std::vector<bool> excluded;
};

class WordPieceModel : public WordModel {
 public:
  WordPieceModel(const PieceIndex& pieces, const WordPieceSpec& spec);

  void Encode(std::string_view word, EncodeScratch& scratch,
              std::vector<TokenId>& out) const override;

 private:
  void EncodeUncached(std::string_view word, std::vector<TokenId>& out) const;

  std::optional<TokenId> unknown_;
  size_t max_word_chars_;
  PieceTrie initial_;
  PieceTrie continuing_;
};

}  // namespace tome
