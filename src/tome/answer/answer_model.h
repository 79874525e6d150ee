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
struct AskedMessage {
  std::string text;
  std::string_view opening = {};
};

// Messages that a model has read and can reply to. One thread. All functions count what they
// compute and stop as the call of AnswerModel::Read had it; Error(kCancelled) when stopped.
class ReadMessages {
 public:
  virtual ~ReadMessages() = default;

  // Replies to the messages of these indices, greedily, all in the same passes; each is in the
  // order of `messages` and without its opening. The messages can be replied to again.
  virtual std::vector<ScoredText> Reply(std::span<const size_t> messages, int64_t max_tokens) = 0;

  // A reply to one message in contrast to what the model says to another (kContrast). Both are
  // used up. `max_tokens` here and above: at most as many as they were read for.
  virtual ScoredText ReplyInContrast(size_t message, size_t without,
                                     const SamplingOptions& sampling, int64_t max_tokens) = 0;
};

class AnswerModel {
 public:
  virtual ~AnswerModel() = default;

  // Reads messages, each a conversation of its own, what they begin with in common once.
  // `reply_tokens`: the longest reply that will be asked for. The model, `computed` and `control`
  // must outlive what is returned.
  virtual std::unique_ptr<ReadMessages> Read(std::span<const AskedMessage> messages,
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
                                    std::span<const AskedMessage> messages, int64_t max_tokens,
                                    const WorkControl& control);

}  // namespace tome
