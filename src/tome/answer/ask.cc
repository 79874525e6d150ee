#include "tome/answer/ask.h"

#include <fmt/format.h>

#include <utility>

#include "tome/base/error.h"

namespace tome {

bool IsAnsweredByModel(Way way, bool has_model) {
  if (way == Way::kQuotes) return false;
  if (way == Way::kAuto) return has_model;
  if (!has_model) {
    throw Error(Code::kInvalidArgument,
                fmt::format("the way `{}` needs a model, and none was named", NameOf(way)));
  }
  return true;
}

std::vector<Answer> Ask(Library& library, const std::optional<MeasuredModel>& model,
                        const AskRequest& request, const TextSink& sink,
                        const WorkControl& control) {
  TOME_CHECK(!request.questions.empty());
  std::vector<Answer> answers;
  if (!IsAnsweredByModel(request.way, model.has_value())) {
    QuotesOptions quotes = request.quotes;
    if (request.way == Way::kQuotes) quotes.why = WhyQuotes::kAskedFor;
    for (const std::string& question : request.questions) {
      answers.push_back(AnswerWithQuotes(library, question, request.documents, quotes, control));
    }
    return answers;
  }
  Conversation conversation(library, *model, request.documents, request.answering);
  if (request.questions.size() > 1) {
    return conversation.AskTogether(request.questions, request.way, control);
  }
  answers.push_back(conversation.Ask(request.questions.front(), request.way, sink, control));
  return answers;
}

}  // namespace tome
