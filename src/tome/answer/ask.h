// The only door to answers about documents, for the command line and for HTTP.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tome/answer/answer.h"
#include "tome/answer/conversation.h"
#include "tome/answer/plan.h"
#include "tome/answer/quotes.h"
#include "tome/base/progress.h"
#include "tome/generate/language_model.h"
#include "tome/library/library.h"
#include "tome/measurements/measurements.h"

namespace tome {

struct AskRequest {
  std::vector<std::string> questions;    // at least one; answered together, documents read once
  std::vector<NamedDocument> documents;  // empty: the whole library is asked
  Way way = Way::kAuto;
  QuotesOptions quotes;          // used where no model answers
  ModelAnswerOptions answering;  // used where a model answers
};

// Returns whether a model answers a request of this way: with `auto` where there is one, with
// `quotes` never. Throws Error(kInvalidArgument) for a way that needs a model where there is none.
bool IsAnsweredByModel(Way way, bool has_model);

// Answers the questions in their order. `model` is used only where IsAnsweredByModel returns true,
// and may be empty otherwise. `sink` may be empty. It gets the answer to a single question as a
// model writes it from the text (EvidenceAmount::kText), unless `strict` is set. Throws the errors
// of AnswerWithQuotes and Conversation.
std::vector<Answer> Ask(Library& library, const std::optional<MeasuredModel>& model,
                        const AskRequest& request, const TextSink& sink,
                        const WorkControl& control);

}  // namespace tome
