#include "tome/answer/attention_reading.h"

#include <algorithm>
#include <optional>

#include "tome/answer/local_answer_model.h"
#include "tome/generate/scored_writing.h"

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
  int64_t behind = 0;  // a token that two neighbouring texts share belongs to the first
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

std::vector<AttentionHead> HeadsOf(const ModelFacts& facts) {
  std::vector<AttentionHead> heads;
  if (!facts.has_whole_kv()) return heads;
  const int64_t per_layer =
      facts.kv.head_size == 0 ? 0 : facts.attention_width / facts.layers / facts.kv.head_size;
  for (int64_t layer = 0; layer < facts.kv.layers; ++layer) {
    for (int64_t head = 0; head < per_layer; ++head) heads.push_back({layer, head});
  }
  return heads;
}

bool ScoreAttention(const LanguageModel& model, std::span<const AttentionHead> heads,
                    std::string_view question, const Session& base, std::span<const TokenId> prompt,
                    std::span<const std::string_view> texts,
                    std::vector<EvidenceSentence>& sentences, ComputedTokens& computed,
                    const WorkControl& control) {
  if (heads.empty()) return false;
  const auto located = LocateIn(model.tokenizer(), prompt, texts, question);
  if (!located) return false;
  AttentionTap tap = TapOf(*located, heads);
  Session session = base.Fork();
  const auto held = session.tokens().size();
  const SessionReading reading{.session = &session, .tokens = prompt.subspan(held), .tap = &tap};
  PrefillTogether({&reading, 1}, WithoutProgress(control));
  computed.read += static_cast<int64_t>(prompt.size() - held);
  const std::vector<double> of_question = SumOfHeads(tap);
  tap.mass.clear();
  const ScoredWriting writing{.session = &session, .tap = &tap, .most_sentences = 1};
  const std::vector<ScoredText> replies =
      WriteScored({&writing, 1}, {.max_tokens = kProvisionalTokens, .stop = control.stop}, {});
  computed.written += static_cast<int64_t>(replies.front().tokens.size());
  const std::vector<double> of_answer = SumOfHeads(tap);
  for (size_t i = 0; i < sentences.size(); ++i) {
    sentences[i].question = of_question[i];
    sentences[i].answer = of_answer[i];
  }
  return true;
}

}  // namespace tome
