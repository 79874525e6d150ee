// Follow-ups in a conversation: questions that lean on what was said before ("and in 1816?", "Why
// did he do that?", "那后来呢？"). A search knows nothing of the conversation, so such a question is
// rewritten into one that stands alone before anything is searched.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tome/answer/answer_model.h"
#include "tome/base/progress.h"
#include "tome/text/analyzer.h"

namespace tome {

// A question and its answer, as a follow-up may lean on them.
struct EarlierTurn {
  std::string question;  // as it was read: rewritten, where it was a follow-up itself
  std::string answer;    // empty where no model wrote one
};

// Returns whether a question leans on what was said before it: by a pronoun that nothing in the
// question explains, or because it has no verb of its own ("What about Mary?", "Why?"). Whole
// questions give false, and where the rules cannot tell they give false.
bool LeansOnConversation(std::string_view question);

// Returns a follow-up with the words that it leans on: the new question, then in parentheses the
// names of the earlier question, or all of the earlier question where it has none or where the new
// question has no verb. Empty for a question that does not lean on the conversation, and where the
// earlier question adds nothing.
std::optional<std::string> RewriteByRules(std::string_view question, const EarlierTurn& earlier,
                                          Analyzer& analyzer);

// Returns whether a model's rewriting can be trusted: it holds all content words of the question
// but its pronouns, adds at least one, and adds only words of the earlier turn.
bool IsFaithfulRewriting(std::string_view rewritten, std::string_view question,
                         const EarlierTurn& earlier, Analyzer& analyzer);

// Returns a follow-up as a whole question: in the words of the model where they are faithful, else
// as RewriteByRules has it. `model` may be null. Empty where RewriteByRules is. Throws the errors of
// AnswerModel::Read.
std::optional<std::string> RewriteFollowUp(std::string_view question, const EarlierTurn& earlier,
                                           const AnswerModel* model, Analyzer& analyzer,
                                           const WorkControl& control);

}  // namespace tome
