// Shows an answer to a person: the text and its citations on stdout, the notes on stderr.
#pragma once

#include "tome/answer/answer.h"
#include "tome/generate/session.h"

namespace tome {

enum class AnswerText { kPrint, kPrintedAlready };

// Prints an answer. With kPrintedAlready the text that a model wrote is left out, because a
// PrintingSink has shown it. The citations are always printed; in the way `quotes` they are the
// whole answer.
// kRanks also prints, below each quote, where it stood in each list of the search.
enum class Explained { kNothing, kRanks };
void PrintAnswer(const Answer& answer, AnswerText text, Explained explained = Explained::kNothing);

// Returns a sink that prints an answer's text while the model writes it, without control characters
// that a terminal would act on.
TextSink PrintingSink();

}  // namespace tome
