#include "tome/answer/writing.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <utility>

#include "tome/answer/prompt.h"
#include "tome/answer/synthetic_facts.h"
#include "tome/text/sentences.h"
#include "tome/text/unicode.h"

namespace tome {
namespace {

// Most sentences of an answer from evidence. Small models seldom write a true one after them.
constexpr int64_t kMostAnswerSentences = 2;
// Weight of a reply's mean log-probability beside the z-scores of its evidence. Weights from 2 to
// 16 do nearly as well.
constexpr double kReplyWeight = 8;
// A sentence whose score is this much below the best is not answered from. The mean
// log-probabilities of the replies would have to differ by 0.9, which they seldom do.
constexpr double kHopeless = 7;

// Returns a reply as it is shown: with a capital letter, because the opening words are left out,
// and up to its last whole sentence, if it was cut off and has one.
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

// Returns how many of the `best` sentences kHopeless does not exclude.
size_t CountCandidates(std::span<const EvidenceSentence> sentences, std::span<const size_t> best) {
  return static_cast<size_t>(std::count_if(best.begin(), best.end(), [&](size_t i) {
    return sentences[i].score >= sentences[best.front()].score - kHopeless;
  }));
}

// Returns the sentences that candidate `rank` is answered from.
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

std::optional<double> QuestionGain(const AnswerModel& model, std::string_view question,
                                   std::string evidence, ComputedTokens& computed,
                                   const WorkControl& control) {
  const std::array texts{std::move(evidence),
                         std::string(SyntheticFacts(LanguageOf(question)).front().sentence)};
  const auto likelihoods = model.QuestionLikelihoods(question, texts, computed, control);
  // Likelihoods that are the same for both texts tell nothing.
  if (!likelihoods || (*likelihoods)[0] == (*likelihoods)[1]) return std::nullopt;
  return (*likelihoods)[0] - (*likelihoods)[1];
}

}  // namespace

void ScoreLikelihood(const AnswerModel& model, std::string_view question, size_t count,
                     std::vector<EvidenceSentence>& sentences, ComputedTokens& computed,
                     const WorkControl& control) {
  const std::vector<size_t> best = BestEvidence(sentences, count);
  if (best.empty()) return;
  std::vector<std::string> texts;
  for (const size_t i : best) texts.push_back(sentences[i].text);
  const auto likelihoods = model.QuestionLikelihoods(question, texts, computed, control);
  if (!likelihoods) return;
  const double least = *std::min_element(likelihoods->begin(), likelihoods->end());
  for (EvidenceSentence& sentence : sentences) sentence.likelihood = least;
  for (size_t i = 0; i < best.size(); ++i) sentences[best[i]].likelihood = (*likelihoods)[i];
}

WrittenAnswer WriteFromEvidence(const AnswerModel& model, const Ability& ability,
                                std::string_view question,
                                std::span<const EvidenceSentence> sentences,
                                const EvidenceWritingOptions& options, ComputedTokens& computed,
                                const WorkControl& control) {
  const std::vector<size_t> best = BestEvidence(sentences, kCandidates);
  const size_t candidates = CountCandidates(sentences, best);
  const std::string_view opening = ReplyOpening(LanguageOf(question));
  std::vector<PromptMessage> messages;
  for (size_t rank = 0; rank < candidates; ++rank) {
    const std::string text = TextOf(sentences, EvidenceOf(ability, best, rank));
    const std::string_view view = text;
    messages.push_back({.text = PromptOf(question, {&view, 1}), .opening = opening});
  }
  messages.push_back({.text = PromptOf(question, {}), .opening = opening});
  const size_t without = candidates;  // index of the message without evidence
  control.Report("writing", 0, 0);
  const std::unique_ptr<ReadMessages> read =
      model.Read(messages, std::max(options.max_tokens, kProvisionalTokens), computed, control);
  // The best sentence most often gives the chosen reply, so its reply in contrast is written along.
  std::vector<ReplyRequest> asked;
  for (size_t rank = 0; rank < candidates; ++rank) asked.push_back({.message = rank});
  const auto in_contrast = [&](size_t message) {
    return ReplyRequest{.message = message,
                        .without = without,
                        .max_tokens = options.max_tokens,
                        .most_sentences = kMostAnswerSentences};
  };
  asked.push_back(in_contrast(0));
  std::vector<ScoredText> replies = read->Reply(asked, options.sampling);
  size_t chosen = 0;
  double largest = -std::numeric_limits<double>::infinity();
  for (size_t rank = 0; rank < candidates; ++rank) {
    const double score = sentences[best[rank]].score + kReplyWeight * replies[rank].log_probability;
    if (score > largest) {
      largest = score;
      chosen = rank;
    }
  }
  ScoredText contrasted = std::move(replies.back());
  if (chosen != 0) {
    const ReplyRequest again = in_contrast(chosen);
    contrasted = read->Reply({&again, 1}, options.sampling).front();
  }
  std::vector<size_t> evidence = EvidenceOf(ability, best, chosen);
  const auto question_gain =
      QuestionGain(model, question, TextOf(sentences, evidence), computed, control);
  return {.text = Shaped(contrasted),
          .evidence = std::move(evidence),
          .log_probability = replies[chosen].log_probability,
          .gain = contrasted.log_probability - contrasted.log_probability_without,
          .question_gain = question_gain};
}

}  // namespace tome
