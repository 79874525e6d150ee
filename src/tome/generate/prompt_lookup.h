// PromptLookup drafts tokens for speculative decoding without a second model: where the last tokens
// have stood before, the tokens that followed then are likely to follow again. Answers that quote a
// document are made of such runs (Saxena, "Prompt Lookup Decoding", 2023).
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "tome/text/tokenizer.h"

namespace tome {

// Keeps an index of where each n-gram of the sequence last ended; O(1) a token. One thread at a
// time.
class PromptLookup {
 public:
  // Looks for n-grams of `ngram` tokens and drafts at most `max_draft` tokens.
  PromptLookup(int64_t ngram, int64_t max_draft) : ngram_(ngram), max_draft_(max_draft) {}

  // Returns tokens that may follow `sequence`, the tokens so far: those after the last earlier
  // place of its last n-gram. Empty where there is no such place. Each call's sequence must extend
  // the one before.
  std::vector<TokenId> Draft(std::span<const TokenId> sequence);

 private:
  int64_t ngram_;
  int64_t max_draft_;
  int64_t indexed_ = 0;  // tokens of the sequence whose n-grams are in the index
  // Maps the hash of an n-gram to the position after its last occurrence. Hashes need no check: a
  // draft that a collision gives is wrong, and the model refuses it.
  std::unordered_map<uint64_t, int64_t> last_;
};

}  // namespace tome
