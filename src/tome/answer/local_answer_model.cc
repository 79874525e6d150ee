#include "tome/answer/local_answer_model.h"

#include <algorithm>
#include <deque>
#include <numeric>
#include <utility>

#include "tome/answer/prompt.h"
#include "tome/base/error.h"
#include "tome/generate/shared_prompts.h"
#include "tome/generate/token_positions.h"

namespace tome {
namespace {

// Returns sessions that have read `prompts`, each with room for `tokens` tokens. The beginning that
// the prompts share is read once.
std::vector<Session> ReadEach(const LanguageModel& model, std::span<const PromptTokens> prompts,
                              int64_t tokens, ComputedTokens& computed,
                              const WorkControl& control) {
  computed.read += DistinctTokens(prompts);
  Session base = NewSession(model, tokens);
  base.Prefill(prompts.front().first(static_cast<size_t>(CommonTokens(prompts))),
               WithoutProgress(control));
  return ReadPrompts(base, prompts, WithoutProgress(control));
}

class LocalReadMessages : public ReadMessages {
 public:
  LocalReadMessages(std::vector<Session> sessions, ComputedTokens& computed,
                    const WorkControl& control)
      : sessions_(std::move(sessions)), computed_(computed), control_(control) {}

  std::vector<ScoredText> Reply(std::span<const ReplyRequest> replies,
                                const SamplingOptions& sampling) override {
    std::deque<Session> forks;
    const auto fork = [&](size_t message) {
      return &forks.emplace_back(sessions_[message].Fork());
    };
    std::vector<ScoredWriting> writings;
    for (const ReplyRequest& reply : replies) {
      ScoredWriting& writing = writings.emplace_back();
      writing.session = fork(reply.message);
      writing.max_tokens = reply.max_tokens;
      writing.most_sentences = reply.most_sentences;
      if (!reply.without) continue;
      writing.without = fork(*reply.without);
      writing.sampling = sampling;
    }
    std::vector<ScoredText> texts =
        WriteScored(writings, {.max_tokens = kAnyLength, .stop = control_.stop}, {});
    for (const ScoredText& text : texts) {
      computed_.written += static_cast<int64_t>(text.tokens.size());
    }
    return texts;
  }

 private:
  std::vector<Session> sessions_;
  ComputedTokens& computed_;
  const WorkControl& control_;
};

}  // namespace

std::unique_ptr<ReadMessages> LocalAnswerModel::Read(std::span<const PromptMessage> messages,
                                                     int64_t reply_tokens, ComputedTokens& computed,
                                                     const WorkControl& control) const {
  TOME_CHECK(!messages.empty());
  std::vector<std::vector<TokenId>> prompts;
  int64_t longest = 0;
  for (const PromptMessage& message : messages) {
    prompts.push_back(EncodeMessage(model_, message.text, message.opening));
    longest = std::max(longest, static_cast<int64_t>(prompts.back().size()));
  }
  const std::vector<PromptTokens> views(prompts.begin(), prompts.end());
  return std::make_unique<LocalReadMessages>(
      ReadEach(model_, views, longest + reply_tokens, computed, control), computed, control);
}

std::optional<std::vector<double>> LocalAnswerModel::QuestionLikelihoods(
    std::string_view question, std::span<const std::string> texts, ComputedTokens& computed,
    const WorkControl& control) const {
  if (texts.empty()) return std::vector<double>();
  std::vector<std::vector<TokenId>> prompts;
  std::vector<PromptTokens> before;     // tokens in front of the question
  std::vector<PromptTokens> questions;  // tokens of the question
  int64_t longest = 0;
  for (const std::string_view text : texts) {
    prompts.push_back(EncodeMessage(model_, PromptOf(question, {&text, 1})));
    longest = std::max(longest, static_cast<int64_t>(prompts.back().size()));
  }
  for (const std::vector<TokenId>& prompt : prompts) {
    const TokenPositions positions(model_.tokenizer(), prompt);
    const auto at = positions.FindLast(question);
    if (!at) return std::nullopt;
    const PositionSpan asked = positions.Of(*at, *at + question.size());
    before.push_back(PromptTokens(prompt).first(static_cast<size_t>(asked.begin)));
    questions.push_back(PromptTokens(prompt).subspan(static_cast<size_t>(asked.begin),
                                                     static_cast<size_t>(asked.end - asked.begin)));
  }
  std::vector<Session> sessions = ReadEach(model_, before, longest, computed, control);
  std::vector<std::vector<double>> log_probabilities(prompts.size());
  std::vector<SessionReading> readings;
  for (size_t i = 0; i < prompts.size(); ++i) {
    readings.push_back({.session = &sessions[i],
                        .tokens = questions[i],
                        .log_probabilities = &log_probabilities[i]});
    computed.read += static_cast<int64_t>(readings.back().tokens.size());
  }
  PrefillTogether(readings, WithoutProgress(control));
  std::vector<double> likelihoods;
  for (const std::vector<double>& each : log_probabilities) {
    likelihoods.push_back(std::accumulate(each.begin(), each.end(), 0.0) /
                          static_cast<double>(each.size()));
  }
  return likelihoods;
}

std::vector<ScoredText> ReplyToEach(const AnswerModel& model,
                                    std::span<const PromptMessage> messages, int64_t max_tokens,
                                    const WorkControl& control) {
  ComputedTokens computed;
  std::vector<ReplyRequest> all;
  for (size_t i = 0; i < messages.size(); ++i)
    all.push_back({.message = i, .max_tokens = max_tokens});
  return model.Read(messages, max_tokens, computed, control)->Reply(all, {});
}

std::vector<TokenId> EncodeMessage(const LanguageModel& model, std::string_view message,
                                   std::string_view opening) {
  const ChatMessage turn{.role = "user", .content = std::string(message)};
  std::vector<TokenId> tokens = model.EncodeChat({&turn, 1});
  if (!opening.empty()) {
    const std::vector<TokenId> begun =
        model.tokenizer().Encode(opening, Specials::kLiteral, {.add_special = false});
    tokens.insert(tokens.end(), begun.begin(), begun.end());
  }
  return tokens;
}

Session NewSession(const LanguageModel& model, int64_t tokens) {
  return {model.model(), model.tokenizer(), model.compute(),
          model.model().NewMemory({.max_tokens = tokens})};
}

WorkControl WithoutProgress(const WorkControl& control) {
  return {.stop = control.stop, .progress = {}};
}

}  // namespace tome
