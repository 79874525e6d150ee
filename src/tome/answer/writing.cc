#include "tome/answer/writing.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "tome/answer/attention_reading.h"
#include "tome/answer/replies.h"
#include "tome/generate/shared_prompts.h"
#include "tome/text/sentences.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Tokens of a reply that is only ranked by.
constexpr int64_t kProvisionalTokens = 32;
// Log-probabilities of replies count so much beside z-scores of evidence; 2 to 16 do nearly as
// well.
constexpr double kReplyWeight = 8;

WorkControl Silent(const WorkControl& control) { return {.stop = control.stop, .progress = {}}; }

int64_t WrittenTokens(std::span<const ScoredText> replies) {
  int64_t tokens = 0;
  for (const ScoredText& reply : replies) tokens += static_cast<int64_t>(reply.tokens.size());
  return tokens;
}

// A reply as it is shown: it was opened with words that are no part of it, so it begins with a
// small letter; and one that was cut off ends with its last whole sentence, where it has one.
std::string Shaped(const ScoredText& reply) {
  std::string text = CollapseWhiteSpace(reply.text);
  if (reply.finish == FinishReason::kMaxTokens) {
    SentenceSplitter splitter;
    const std::vector<uint64_t> ends = splitter.Ends(text);
    if (ends.size() > 1) text.resize(ends[ends.size() - 2]);
    text = CollapseWhiteSpace(text);
  }
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') {
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  }
  return text;
}

// The sentences that candidate `rank` is answered from.
std::vector<size_t> EvidenceOf(const Ability& ability, std::span<const size_t> best, size_t rank) {
  std::vector<size_t> evidence{best[rank]};
  if (ability.amount == EvidenceAmount::kSentence) return evidence;
  for (size_t i = 0; i < best.size() && evidence.size() < 3; ++i) {
    if (i != rank) evidence.push_back(best[i]);
  }
  return evidence;
}

std::string TextOf(std::span<const EvidenceSentence> sentences, std::vector<size_t> evidence) {
  std::sort(evidence.begin(), evidence.end());  // in the order of the documents
  std::string text;
  for (const size_t i : evidence) {
    text += (text.empty() ? "" : "\n") + sentences[i].text;
  }
  return text;
}

}  // namespace

void ScoreLikelihood(const LanguageModel& model, std::string_view question, size_t count,
                     std::vector<EvidenceSentence>& sentences, ComputedTokens& computed,
                     const WorkControl& control) {
  const std::vector<size_t> best = BestEvidence(sentences, count);
  if (best.empty()) return;
  std::vector<std::vector<TokenId>> prompts;
  std::vector<PromptTokens> views;
  std::vector<size_t> begins;  // of the question's tokens
  for (const size_t i : best) {
    const std::string_view text = sentences[i].text;
    prompts.push_back(EncodeMessage(model, PromptOf(question, {&text, 1})));
    const TokenPositions positions(model.tokenizer(), prompts.back());
    const auto at = positions.FindLast(question);
    if (!at) return;
    begins.push_back(static_cast<size_t>(positions.Of(*at, *at + question.size()).begin));
  }
  for (size_t i = 0; i < best.size(); ++i) {
    views.push_back(PromptTokens(prompts[i]).first(begins[i]));
  }
  computed.read += DistinctTokens(views);
  Session base = NewSession(model, static_cast<int64_t>(prompts.front().size()) + 1024);
  base.Prefill(views.front().first(static_cast<size_t>(CommonTokens(views))), Silent(control));
  std::vector<Session> sessions = ReadPrompts(base, views, Silent(control));
  std::vector<std::vector<double>> log_probabilities(best.size());
  std::vector<SessionReading> readings;
  for (size_t i = 0; i < best.size(); ++i) {
    readings.push_back({.session = &sessions[i],
                        .tokens = PromptTokens(prompts[i]).subspan(begins[i]),
                        .log_probabilities = &log_probabilities[i]});
    computed.read += static_cast<int64_t>(readings.back().tokens.size());
  }
  PrefillTogether(readings, Silent(control));
  double least = 0;
  for (size_t i = 0; i < best.size(); ++i) {
    double sum = 0;
    for (const double each : log_probabilities[i]) sum += each;
    sentences[best[i]].likelihood = sum / static_cast<double>(log_probabilities[i].size());
    least = std::min(least, sentences[best[i]].likelihood);
  }
  for (EvidenceSentence& sentence : sentences) {
    if (sentence.likelihood == 0) sentence.likelihood = least;
  }
}

bool ScoreAttention(const LanguageModel& model, const Ability& ability, std::string_view question,
                    const Session& base, std::span<const TokenId> prompt,
                    std::span<const std::string_view> texts,
                    std::vector<EvidenceSentence>& sentences, ComputedTokens& computed,
                    const WorkControl& control) {
  if (ability.heads.empty()) return false;
  const auto located = LocateIn(model.tokenizer(), prompt, texts, question);
  if (!located) return false;
  AttentionTap tap = TapOf(*located, ability.heads);
  Session session = base.Fork();
  const auto held = session.tokens().size();
  const SessionReading reading{.session = &session, .tokens = prompt.subspan(held), .tap = &tap};
  PrefillTogether({&reading, 1}, Silent(control));
  computed.read += static_cast<int64_t>(prompt.size() - held);
  const std::vector<double> of_question = SumOfHeads(tap);
  tap.mass.clear();
  const ScoredWriting writing{.session = &session, .tap = &tap};
  const std::vector<ScoredText> replies = WriteScored(
      {&writing, 1}, {.sampling = {}, .max_tokens = kProvisionalTokens, .stop = control.stop}, {});
  computed.written += WrittenTokens(replies);
  const std::vector<double> of_answer = SumOfHeads(tap);
  for (size_t i = 0; i < sentences.size(); ++i) {
    sentences[i].question = of_question[i];
    sentences[i].answer = of_answer[i];
  }
  return true;
}

WrittenAnswer WriteFromEvidence(const LanguageModel& model, const Ability& ability,
                                std::string_view question,
                                std::span<const EvidenceSentence> sentences,
                                const EvidenceWritingOptions& options, ComputedTokens& computed,
                                const WorkControl& control) {
  const std::vector<size_t> best = BestEvidence(sentences, kCandidates);
  const std::string_view opening = ReplyOpening(LanguageOf(question));
  std::vector<std::vector<TokenId>> prompts;
  for (size_t rank = 0; rank < best.size(); ++rank) {
    const std::string text = TextOf(sentences, EvidenceOf(ability, best, rank));
    const std::string_view view = text;
    prompts.push_back(EncodeMessage(model, PromptOf(question, {&view, 1}), opening));
  }
  prompts.push_back(EncodeMessage(model, PromptOf(question, {}), opening));  // without evidence
  const std::vector<PromptTokens> views(prompts.begin(), prompts.end());
  computed.read += DistinctTokens(views);
  control.Report("writing", 0, 0);
  std::vector<Session> sessions =
      ReadEach(model, prompts, std::max(options.max_tokens, kProvisionalTokens), Silent(control));
  std::vector<Session> forks;
  forks.reserve(best.size());
  std::vector<ScoredWriting> writings;
  for (size_t rank = 0; rank < best.size(); ++rank) {
    forks.push_back(sessions[rank].Fork());
    writings.push_back({.session = &forks.back()});
  }
  const std::vector<ScoredText> replies = WriteScored(
      writings, {.sampling = {}, .max_tokens = kProvisionalTokens, .stop = control.stop}, {});
  computed.written += WrittenTokens(replies);
  size_t chosen = 0;
  double largest = -std::numeric_limits<double>::infinity();
  for (size_t rank = 0; rank < best.size(); ++rank) {
    const double score = sentences[best[rank]].score + kReplyWeight * replies[rank].log_probability;
    if (score > largest) {
      largest = score;
      chosen = rank;
    }
  }
  const ScoredWriting writing{.session = &sessions[chosen], .without = &sessions.back()};
  std::vector<ScoredText> contrasted = WriteScored(
      {&writing, 1},
      {.sampling = options.sampling, .max_tokens = options.max_tokens, .stop = control.stop}, {});
  computed.written += WrittenTokens(contrasted);
  return {.text = Shaped(contrasted.front()),
          .evidence = EvidenceOf(ability, best, chosen),
          .log_probability = replies[chosen].log_probability,
          .gain = contrasted.front().log_probability - contrasted.front().log_probability_without,
          .finish = contrasted.front().finish};
}

}  // namespace tome
