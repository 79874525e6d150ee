#include "tome/generate/prompt_lookup.h"

#include <algorithm>

namespace tome {
namespace {

// FNV-1a over the tokens' bits.
uint64_t HashOf(std::span<const TokenId> tokens) {
  uint64_t hash = 0xCBF29CE484222325ULL;
  for (const TokenId token : tokens) {
    hash = (hash ^ static_cast<uint32_t>(token)) * 0x100000001B3ULL;
  }
  return hash;
}

}  // namespace

std::vector<TokenId> PromptLookup::Draft(std::span<const TokenId> sequence) {
  const auto size = static_cast<int64_t>(sequence.size());
  const auto ngram_before = [&](int64_t end) {
    return sequence.subspan(static_cast<size_t>(end - ngram_), static_cast<size_t>(ngram_));
  };
  // All n-grams that end before the last token are indexed; the one at the end is looked for.
  for (int64_t end = std::max(ngram_, indexed_ + 1); end < size; ++end) {
    last_[HashOf(ngram_before(end))] = end;
    indexed_ = end;
  }
  if (size < ngram_) return {};
  const auto found = last_.find(HashOf(ngram_before(size)));
  if (found == last_.end()) return {};
  const auto begin = sequence.begin() + found->second;
  const int64_t count = std::min(max_draft_, size - found->second);
  return {begin, begin + count};
}

}  // namespace tome
