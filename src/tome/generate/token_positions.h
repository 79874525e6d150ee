// TokenPositions says where pieces of a text stand among the tokens of a prompt that holds it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/kernels/attention_mass.h"
#include "tome/text/tokenizer.h"

namespace tome {

// Holds the text of a prompt's tokens, and where each token ends in it.
class TokenPositions {
 public:
  TokenPositions(const Tokenizer& tokenizer, std::span<const TokenId> tokens);

  // Returns the byte offset of `text` in the tokens' text, from `from` on. Empty where `text` is
  // not there, as when a normalizer of the vocabulary has changed it.
  std::optional<size_t> Find(std::string_view text, size_t from = 0) const;
  // Returns the offset of the last place of `text`.
  std::optional<size_t> FindLast(std::string_view text) const;
  // Returns the tokens that hold bytes [begin, end) of the tokens' text; an empty span where there
  // are no bytes.
  PositionSpan Of(size_t begin, size_t end) const;

 private:
  std::string text_;
  std::vector<size_t> ends_;  // where each token ends in text_
};

}  // namespace tome
