// Finds sentence boundaries with ICU: Unicode Standard Annex 29, with ICU's list of English
// abbreviations and some titles, so that "Mr. Smith met Dr. Jones" is one sentence. An opening
// quote or bracket belongs to the sentence after it. The rules work for Chinese, Japanese and the
// alphabetic scripts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tome {

// Holds ICU's rules. Each thread needs its own and should reuse it.
class SentenceSplitter {
 public:
  SentenceSplitter();
  SentenceSplitter(const SentenceSplitter&) = delete;
  SentenceSplitter& operator=(const SentenceSplitter&) = delete;
  ~SentenceSplitter();

  // Returns the end (byte offset) of each sentence of well-formed UTF-8 below 2 GiB, in order; the
  // last one is the text's size. White space after a sentence belongs to it. A '\n' always ends a
  // sentence; where lines are wrapped, pass a copy with spaces instead.
  std::vector<uint64_t> Ends(std::string_view utf8);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Counts of characters, from which EstimateTokens computes. They add up exactly, so the estimate of
// a text follows from the counts of its parts.
struct TokenCount {
  uint64_t cjk = 0;
  uint64_t others = 0;

  uint64_t tokens() const { return cjk + (others + 3) / 4; }
  friend TokenCount operator+(const TokenCount& a, const TokenCount& b) {
    return {.cjk = a.cjk + b.cjk, .others = a.others + b.others};
  }
};
TokenCount CountTokens(std::string_view utf8);

// Estimates how many tokens a language model makes of the text, for budgets without a loaded model:
// one for each CJK character, one for every four other characters.
uint64_t EstimateTokens(std::string_view utf8);

}  // namespace tome
