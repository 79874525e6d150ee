// A TokenMask says which tokens may come next. A generation under a mask takes the likeliest of
// those alone (or draws among them), so that the text has a form (a JSON schema, one of some
// choices) whatever the model would rather say.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tome/text/tokenizer.h"

namespace tome {

// A set of tokens: a bit for each id below `vocabulary`.
class TokenSet {
 public:
  explicit TokenSet(int64_t vocabulary);

  void Clear();
  void Add(TokenId token);  // an id outside the vocabulary adds nothing: no logit chooses it
  void AddAll();
  bool Has(TokenId token) const;
  bool empty() const;

  // Sets the scores of all other tokens to minus infinity.
  void KeepOnly(std::span<float> scores) const;

 private:
  int64_t vocabulary_;
  std::vector<uint64_t> bits_;
};

// A mask serves one generation: it is asked before each token and told which one was chosen, in
// turn, and may remember earlier tokens. Drafts of speculation pass it like any token, one by one,
// when they turn out to be what the model chooses; it is never told of a refused draft.
class TokenMask {
 public:
  virtual ~TokenMask() = default;

  // Adds to `allowed`, which is empty, the tokens that may follow those accepted so far. Ends of
  // generation are tokens like all others: the model can end only where they are allowed. Adding
  // none says that the text is complete: the generation ends (FinishReason::kComplete).
  virtual void AddAllowed(TokenSet& allowed) const = 0;
  // Says that `token`, one of those allowed, was chosen.
  virtual void Accept(TokenId token) = 0;

 protected:
  TokenMask() = default;
  TokenMask(const TokenMask&) = default;
  TokenMask& operator=(const TokenMask&) = default;
};

// Allows one of some token sequences and no other tokens. Where one of them begins another, an end
// of generation tells the shorter one; else the text ends by itself after its last token.
class ChoiceMask : public TokenMask {
 public:
  // `ends` are those of Tokenizer::end_of_generation. Throws Error(kInvalidArgument) for no choice,
  // an empty one, or one that goes on after an end of generation.
  ChoiceMask(std::vector<std::vector<TokenId>> choices, std::span<const TokenId> ends);

  void AddAllowed(TokenSet& allowed) const override;
  void Accept(TokenId token) override;

  // Returns the position of the choice that was written (of equal ones the first); -1 while none is
  // complete.
  int64_t chosen() const;

 private:
  bool IsEnd(TokenId token) const;
  bool IsComplete(size_t choice) const { return choices_[choice].size() == accepted_; }

  std::vector<std::vector<TokenId>> choices_;
  std::vector<TokenId> ends_;  // ascending
  std::vector<size_t> open_;   // choices that begin with the accepted tokens, ascending
  size_t accepted_ = 0;        // tokens of a choice that were accepted
};

}  // namespace tome
