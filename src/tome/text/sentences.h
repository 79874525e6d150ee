// Sentence boundaries by ICU (Unicode Standard Annex 29, with ICU's list of English abbreviations
// and some titles, so that "Mr. Smith met Dr. Jones" is one sentence). A quote or bracket that
// opens belongs to the sentence after it. Works for Chinese, Japanese and the alphabetic scripts
// alike.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tome {

// Holds ICU's rules; one a thread, reused.
class SentenceSplitter {
 public:
  SentenceSplitter();
  SentenceSplitter(const SentenceSplitter&) = delete;
  SentenceSplitter& operator=(const SentenceSplitter&) = delete;
  ~SentenceSplitter();

  // The end (byte offset) of each sentence of well-formed UTF-8 below 2 GiB, in order; the last one
  // is the text's size. White space after a sentence belongs to it. A '\n' always ends a sentence;
  // where lines are wrapped, give a copy with spaces in its place.
  std::vector<uint64_t> Ends(std::string_view utf8);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// What EstimateTokens counts. Counts add up exactly, so the estimate of a text is had from its
// parts.
struct TokenCount {
  uint64_t cjk = 0;
  uint64_t others = 0;

  uint64_t tokens() const { return cjk + (others + 3) / 4; }
  friend TokenCount operator+(const TokenCount& a, const TokenCount& b) {
    return {.cjk = a.cjk + b.cjk, .others = a.others + b.others};
  }
};
TokenCount CountTokens(std::string_view utf8);

// About how many tokens a language model makes of the text, for budgets where no model is at hand:
// one a CJK character, one per four other characters.
uint64_t EstimateTokens(std::string_view utf8);

}  // namespace tome
