// Added tokens are read from the text itself before it is normalized and split: special tokens and
// user-defined pieces. The leftmost one is taken, and among those that begin at the same place the
// longest.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tome/text/tokenizer/piece_trie.h"
#include "tome/text/tokenizer/word_patterns.h"

namespace tome {

struct AddedToken {
  std::string content;
  TokenId id = -1;
  bool only_parsed = false;  // read only where special tokens may be read
  bool single_word = false;  // not read inside a word
  bool strip_left = false;   // takes the white space before it
  bool strip_right = false;  // takes the white space after it
};

class AddedTokens {
 public:
  // Longest content in bytes. The limit bounds the search, which tries each content at every place
  // of a text.
  static constexpr size_t kMaxContentBytes = 1024;

  AddedTokens() = default;
  explicit AddedTokens(std::vector<AddedToken> tokens);

  bool empty() const { return tokens_.empty(); }

  // A part of the text between tokens (may be empty), then the token that follows it (-1 after the
  // last part).
  struct Part {
    Span text;
    TokenId token;
  };
  // Splits `text`. A token with only_parsed is found only where all of it lies inside one of
  // `parsed`, which are in order.
  std::vector<Part> Split(std::string_view text, const std::vector<Span>& parsed) const;

 private:
  const AddedToken* Longest(std::string_view text, size_t at, size_t parsed_end) const;

  std::vector<AddedToken> tokens_;
  PieceTrie trie_;                  // values are positions in tokens_
  std::array<bool, 256> begins_{};  // by byte: true where a content begins with it
};

}  // namespace tome
