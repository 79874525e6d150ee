// The interface to a model that answers from evidence. It replies to several messages at once, and
// tells how likely the model finds its replies. LocalAnswerModel is a LanguageModel on this machine
// (local_answer_model.h). Tests have one that records the messages; a model in the network is
// possible as well.
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

struct ComputedTokens {
  int64_t read = 0;
  int64_t written = 0;
};

// Longest reply, in tokens, that serves only to rank evidence.
inline constexpr int64_t kProvisionalTokens = 32;

// A message to the model, and the words that its reply must begin with.
struct PromptMessage {
  std::string text;
  std::string_view opening = {};
};

// Asks for a reply to one of the messages that a model has read.
struct ReplyRequest {
  size_t message = 0;
  // The message that the reply is written in contrast to (kContrast). Without a value, the reply is
  // written greedily.
  std::optional<size_t> without = {};
  int64_t max_tokens = kProvisionalTokens;  // at most AnswerModel::Read's `reply_tokens`
  int64_t most_sentences = 1;
};

// Messages that a model has read and can reply to, for one thread. Tokens are counted in
// `computed`, and `control` stops the work, as AnswerModel::Read was given them.
class ReadMessages {
 public:
  virtual ~ReadMessages() = default;

  // Returns the replies, without their openings, in the order of `replies`. All are written in the
  // same passes. The messages can be replied to again. `sampling` applies to replies in contrast.
  // Throws Error(kCancelled) when stopped.
  virtual std::vector<ScoredText> Reply(std::span<const ReplyRequest> replies,
                                        const SamplingOptions& sampling) = 0;
};

class AnswerModel {
 public:
  virtual ~AnswerModel() = default;

  // Reads messages, each a conversation of its own. Their common beginning is read once.
  // `reply_tokens` is the longest reply that will be asked for. The model, `computed` and `control`
  // must outlive the result.
  virtual std::unique_ptr<ReadMessages> Read(std::span<const PromptMessage> messages,
                                             int64_t reply_tokens, ComputedTokens& computed,
                                             const WorkControl& control) const = 0;

  // Returns, for each text, the mean ln P of the question's tokens in the prompt that PromptOf
  // makes of both. Empty where the model cannot tell.
  virtual std::optional<std::vector<double>> QuestionLikelihoods(
      std::string_view question, std::span<const std::string> texts, ComputedTokens& computed,
      const WorkControl& control) const = 0;
};

// Returns the replies to all messages, in their order.
std::vector<ScoredText> ReplyToEach(const AnswerModel& model,
                                    std::span<const PromptMessage> messages, int64_t max_tokens,
                                    const WorkControl& control);

}  // namespace tome
