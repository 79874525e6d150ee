// The model of answers from evidence on this machine: a LanguageModel in sessions of their own.
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
  // `model` must outlive it.
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

// The tokens of a message to the model, up to where it replies, with `opening` as the beginning of
// the reply.
std::vector<TokenId> EncodeMessage(const LanguageModel& model, std::string_view message,
                                   std::string_view opening = {});

// A session that has read nothing, for prompts of up to `tokens` tokens with what is written.
Session NewSession(const LanguageModel& model, int64_t tokens);

// The same work, without progress of its own: parts of a larger one report nothing.
WorkControl WithoutProgress(const WorkControl& control);

}  // namespace tome
