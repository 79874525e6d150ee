#include "tome/answer/attention_reading.h"

#include <algorithm>
#include <optional>

namespace tome {

std::optional<TappedPrompt> LocateIn(const Tokenizer& tokenizer, std::span<const TokenId> tokens,
                                     std::span<const std::string_view> texts,
                                     std::string_view question) {
  const TokenPositions positions(tokenizer, tokens);
  TappedPrompt located{.tokens = tokens, .texts = {}};
  const auto asked = positions.FindLast(question);
  if (!asked) return std::nullopt;
  located.question_begin = positions.Of(*asked, *asked + question.size()).begin;
  size_t from = 0;
  int64_t behind = 0;  // two texts may share a token at their border: the first one has it
  for (const std::string_view text : texts) {
    const auto at = positions.Find(text, from);
    if (!at || *at > *asked) return std::nullopt;
    PositionSpan span = positions.Of(*at, *at + text.size());
    span.begin = std::max(span.begin, behind);
    span.end = std::max(span.begin, span.end);
    behind = span.end;
    from = *at + text.size();
    located.texts.push_back(span);
  }
  return located;
}

AttentionTap TapOf(const TappedPrompt& prompt, std::span<const AttentionHead> heads) {
  return {.heads = {heads.begin(), heads.end()},
          .spans = prompt.texts,
          .first_position = prompt.question_begin,
          .mass = {}};
}

std::vector<double> SumOfHeads(const AttentionTap& tap) {
  std::vector<double> sums(tap.spans.size(), 0);
  for (size_t head = 0; head < tap.heads.size(); ++head) {
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += tap.At(head, i);
  }
  return sums;
}

}  // namespace tome
