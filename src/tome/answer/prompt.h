// The words that a model is asked with, in the language of the question.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tome {

// Chinese questions get Chinese instructions, all others English ones.
enum class PromptLanguage { kEnglish, kChinese };
PromptLanguage LanguageOf(std::string_view question);

// A text that is shown to the model, with a line that says where it stands ("report.pdf, page 3").
struct PromptText {
  std::string place;
  std::string text;
};

// The user's message: what to do, the texts in their place, the question. The place of a text is
// delimited by a mark that the texts do not hold, so that no text can end it; a text that gives
// orders is named in the instructions as what it is. The question comes last, so that several
// questions about the same texts share all tokens before it.
std::string PromptOf(std::string_view question, const std::vector<PromptText>& texts);

// The message of a further question about texts that an earlier message holds.
std::string FollowUpPromptOf(std::string_view question);

// What Tome itself says when the documents do not answer.
std::string NotFoundAnswer(PromptLanguage language);

}  // namespace tome
