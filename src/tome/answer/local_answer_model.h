// The AnswerModel on this machine: a LanguageModel that works in sessions of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/answer_model.h"
#include "tome/base/progress.h"
#include "tome/generate/language_model.h"
#include "tome/generate/session.h"

namespace tome {

class LocalAnswerModel : public AnswerModel {
 public:
  // `model` must outlive this object.
  explicit LocalAnswerModel(const LanguageModel& model) : model_(model) {}

  std::unique_ptr<ReadMessages> Read(std::span<const PromptMessage> messages, int64_t reply_tokens,
                                     ComputedTokens& computed,
                                     const WorkControl& control) const override;
  std::optional<std::vector<double>> QuestionLikelihoods(std::string_view question,
                                                         std::span<const std::string> texts,
                                                         ComputedTokens& computed,
                                                         const WorkControl& control) const override;

 private:
  const LanguageModel& model_;
};

// Returns the tokens of a message to the model up to the place where the model replies. `opening`
// is the beginning of the reply.
std::vector<TokenId> EncodeMessage(const LanguageModel& model, std::string_view message,
                                   std::string_view opening = {});

// Returns a session that has read nothing. It has room for `tokens` tokens, prompt and reply
// together.
Session NewSession(const LanguageModel& model, int64_t tokens);

// Returns a control that stops as `control` does and reports no progress. The parts of a larger
// work take it.
WorkControl WithoutProgress(const WorkControl& control);

}  // namespace tome
