// What a Tokenizer is made of, whichever file it came from.
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

// The steps of Encode, in order: added tokens are cut out, the rest is normalized, added tokens
// that are looked for in normalized text are cut out, the rest is split into words, each word is
// encoded.
struct TokenizerParts {
  PieceIndex pieces;  // the model refers to it: parts do not move
  std::vector<bool> special;
  std::vector<bool> never_from_text;  // tokens that text itself never becomes
  AddedTokens added;
  AddedTokens added_normalized;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::unique_ptr<WordModel> model;
  std::vector<TokenId> prefix;  // what add_special puts before a text
  std::vector<TokenId> suffix;
  TokenBytesTable bytes;
  NamedTokens named;
  std::vector<TokenId> end_of_generation;
};

// Adds the end of turn and the ends of generation that the vocabulary has by their usual names;
// only tokens for which is_control holds count. Those found by name are special from then on, even
// if the file calls them user-defined: else a document that holds "<end_of_turn>" ends its turn.
void FindEndTokens(TokenizerParts& parts, const std::vector<bool>& is_control);

// `unknown` where it may stand for text that no piece covers; nothing where it has another meaning
// as well (SmolLM2's is "<|endoftext|>"): text of a document must not become a control token, so
// what it lacks is left out. Needs the named tokens and the ends of generation.
std::optional<TokenId> UnknownForText(const TokenizerParts& parts, std::optional<TokenId> unknown);

// "<|x|>" and "<｜x｜>": the way that control tokens are written. Such a piece is read from text
// only where special tokens are, even if the file calls it user-defined.
bool LooksLikeControl(std::string_view piece);

// Throws Error(kUnsupported) naming `field` where the pieces exceed the limits of tokenizer.h.
void CheckPieceLimits(const std::vector<std::string>& pieces, std::string_view field);

std::unique_ptr<TokenizerParts> PartsFromSpec(VocabularySpec spec);
std::unique_ptr<TokenizerParts> PartsFromJson(std::string_view tokenizer_json,
                                              std::string_view tokenizer_config_json);

}  // namespace tome::internal
