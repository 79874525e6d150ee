// The parts that a Tokenizer is made of, whichever file they came from.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/text/tokenizer/added_tokens.h"
#include "tome/text/tokenizer/normalizer.h"
#include "tome/text/tokenizer/piece_index.h"
#include "tome/text/tokenizer/pre_tokenizer.h"
#include "tome/text/tokenizer/token_bytes.h"
#include "tome/text/tokenizer/word_model.h"

namespace tome::internal {

struct NamedTokens {
  std::optional<TokenId> bos;
  std::optional<TokenId> eos;
  std::optional<TokenId> eot;
  std::optional<TokenId> eom;
  std::optional<TokenId> unknown;
  std::optional<TokenId> padding;
  std::optional<TokenId> separator;
  std::optional<TokenId> cls;
  std::optional<TokenId> mask;
};

// Encode takes these steps: it cuts out added tokens, normalizes the rest, cuts out added tokens
// that are looked for in normalized text, splits the rest into words, and encodes each word.
struct TokenizerParts {
  // The model refers to `pieces`, so parts must not move.
  PieceIndex pieces;
  std::vector<bool> special;
  std::vector<bool> never_from_text;  // tokens that plain text never becomes
  AddedTokens added;
  AddedTokens added_normalized;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::unique_ptr<WordModel> model;
  std::vector<TokenId> prefix;  // put before a text by add_special
  std::vector<TokenId> suffix;
  TokenBytesTable bytes;
  NamedTokens named;
  std::vector<TokenId> end_of_generation;
};

// Finds the end of turn and the ends of generation by their usual names in the vocabulary and adds
// them. Only tokens for which is_control holds count. Tokens found by name are special from then
// on, even if the file calls them user-defined: otherwise a document that holds "<end_of_turn>"
// would end its turn.
void FindEndTokens(TokenizerParts& parts, const std::vector<bool>& is_control);

// Returns `unknown` where it may stand for text that no piece covers. Empty where the token has
// another meaning as well (SmolLM2's is "<|endoftext|>"): text of a document must not become a
// control token, so text that no piece covers is left out. Needs the named tokens and the ends of
// generation.
std::optional<TokenId> UnknownForText(const TokenizerParts& parts, std::optional<TokenId> unknown);

// Returns true for "<|x|>" and "<｜x｜>", the form of control tokens. Such a piece is read from text
// only where special tokens are, even if the file calls it user-defined.
bool LooksLikeControl(std::string_view piece);

// Throws Error(kUnsupported) naming `field` where the pieces exceed the limits of tokenizer.h.
void CheckPieceLimits(const std::vector<std::string>& pieces, std::string_view field);

std::unique_ptr<TokenizerParts> PartsFromSpec(VocabularySpec spec);
std::unique_ptr<TokenizerParts> PartsFromJson(std::string_view tokenizer_json,
                                              std::string_view tokenizer_config_json);

}  // namespace tome::internal
