#include "tome/generate/token_positions.h"

#include <algorithm>

namespace tome {

TokenPositions::TokenPositions(const Tokenizer& tokenizer, std::span<const TokenId> tokens) {
  for (const TokenId token : tokens) {
    text_ += tokenizer.TokenBytes(token);
    ends_.push_back(text_.size());
  }
}

std::optional<size_t> TokenPositions::Find(std::string_view text, size_t from) const {
  const size_t at = text_.find(text, from);
  return at == std::string::npos ? std::nullopt : std::optional(at);
}

std::optional<size_t> TokenPositions::FindLast(std::string_view text) const {
  const size_t at = text_.rfind(text);
  return at == std::string::npos ? std::nullopt : std::optional(at);
}

PositionSpan TokenPositions::Of(size_t begin, size_t end) const {
  // The first token that ends after `begin`, and the first that ends at or after `end`.
  const auto first = std::upper_bound(ends_.begin(), ends_.end(), begin);
  if (begin >= end) return {.begin = first - ends_.begin(), .end = first - ends_.begin()};
  const auto last = std::lower_bound(ends_.begin(), ends_.end(), end);
  return {.begin = first - ends_.begin(),
          .end = std::min<int64_t>(last - ends_.begin() + 1, static_cast<int64_t>(ends_.size()))};
}

}  // namespace tome
