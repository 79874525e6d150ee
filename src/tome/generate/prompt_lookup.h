// Drafts for speculative decoding without a second model: where the last tokens have stood before,
// what followed then is likely to follow again. Answers that quote a document are made of such runs
// (Saxena, "Prompt Lookup Decoding", 2023).
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "tome/text/tokenizer.h"

namespace tome {

// Keeps an index of where each n-gram of the sequence last ended; O(1) a token. One thread.
class PromptLookup {
 public:
  // n-grams of `ngram` tokens are looked for; drafts hold at most `max_draft` tokens.
  PromptLookup(int64_t ngram, int64_t max_draft) : ngram_(ngram), max_draft_(max_draft) {}

  // Tokens that may follow `sequence`, the tokens so far: those that followed the last earlier
  // place of its last n-gram. Empty where there is none. Each call's sequence must extend the one
  // before.
  std::vector<TokenId> Draft(std::span<const TokenId> sequence);

 private:
  int64_t ngram_;
  int64_t max_draft_;
  int64_t indexed_ = 0;  // tokens of the sequence whose n-grams are in the index
  // Hash of an n-gram to the position behind its last occurrence; a draft that a collision gives is
  // wrong and is refused by verification, so hashes need no check beyond comparing the tokens.
  std::unordered_map<uint64_t, int64_t> last_;
};

}  // namespace tome
