// What answers from evidence ask of a model: replies to several messages at once, and how likely
// the model finds them. A LanguageModel does it on this machine (local_answer_model.h); tests put
// one in its place that records what it is asked, and a model behind a network can stand there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/progress.h"
#include "tome/generate/sampler.h"
#include "tome/generate/scored_writing.h"

namespace tome {

// What a model computed, for whoever counts.
struct ComputedTokens {
  int64_t read = 0;
  int64_t written = 0;
};

// Tokens of a reply that is only ranked by.
inline constexpr int64_t kProvisionalTokens = 32;

// A message to the model, and the words that its reply is made to begin with.
struct PromptMessage {
  std::string text;
  std::string_view opening = {};
};

// A reply to one of the messages that a model has read.
struct ReplyRequest {
  size_t message = 0;
  // Written in contrast (kContrast) to what the model says to this message; none: greedily.
  std::optional<size_t> without = {};
  int64_t max_tokens = kProvisionalTokens;  // at most as many as the messages were read for
  int64_t most_sentences = 1;
};

// Messages that a model has read and can reply to. One thread. Counts what it computes and stops as
// the call of AnswerModel::Read had it.
class ReadMessages {
 public:
  virtual ~ReadMessages() = default;

  // The replies without their openings, in the order that they are asked for in; all are written in
  // the same passes. The messages can be replied to again. `sampling`: of those in contrast.
  // Error(kCancelled) when stopped.
  virtual std::vector<ScoredText> Reply(std::span<const ReplyRequest> replies,
                                        const SamplingOptions& sampling) = 0;
};

class AnswerModel {
 public:
  virtual ~AnswerModel() = default;

  // Reads messages, each a conversation of its own, what they begin with in common once.
  // `reply_tokens`: the longest reply that will be asked for. The model, `computed` and `control`
  // must outlive what is returned.
  virtual std::unique_ptr<ReadMessages> Read(std::span<const PromptMessage> messages,
                                             int64_t reply_tokens, ComputedTokens& computed,
                                             const WorkControl& control) const = 0;

  // The mean ln P of the question's tokens behind each of the texts, in PromptOf's words. Nothing
  // where the model does not tell.
  virtual std::optional<std::vector<double>> QuestionLikelihoods(
      std::string_view question, std::span<const std::string> texts, ComputedTokens& computed,
      const WorkControl& control) const = 0;
};

// The replies to all messages.
std::vector<ScoredText> ReplyToEach(const AnswerModel& model,
                                    std::span<const PromptMessage> messages, int64_t max_tokens,
                                    const WorkControl& control);

}  // namespace tome
