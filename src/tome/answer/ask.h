// The one door to answers about documents, for the command line and for HTTP alike.
#pragma once

#include <string>
#include <vector>

#include "tome/answer/answer.h"
#include "tome/answer/conversation.h"
#include "tome/answer/plan.h"
#include "tome/answer/quotes.h"
#include "tome/base/progress.h"
#include "tome/generate/language_model.h"
#include "tome/library/library.h"

namespace tome {

struct AskRequest {
  std::vector<std::string> questions;    // at least one; answered together, documents read once
  std::vector<NamedDocument> documents;  // none: the whole library is asked
  Way way = Way::kAuto;
  QuotesOptions quotes;          // of the way `quotes`
  ModelAnswerOptions answering;  // of all other ways
};

// Whether a request of this way is answered by a model: `auto` is where there is one, and quotes
// never are. Error(kInvalidArgument) for a way that needs a model where there is none.
bool IsAnsweredByModel(Way way, bool has_model);

// Answers in the order of the questions. `model` is looked at where IsAnsweredByModel says so, and
// may be null otherwise. `sink` gets the answer to a single question as a model writes it, where it
// is written from the whole text; it may be empty. Errors as AnswerWithQuotes' and Conversation's.
std::vector<Answer> Ask(Library& library, const LanguageModel* model, const AskRequest& request,
                        const TextSink& sink, const WorkControl& control);

}  // namespace tome
