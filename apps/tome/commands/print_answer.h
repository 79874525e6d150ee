// An answer as a person reads it: the answer and its citations on stdout, the notes on stderr.
#pragma once

#include "tome/answer/answer.h"
#include "tome/generate/session.h"

namespace tome {

enum class AnswerText { kPrint, kPrintedAlready };

// Prints an answer. kPrintedAlready leaves out the text of an answer that a model wrote. In the way
// `quotes` the citations are the answer, and they are always printed.
void PrintAnswer(const Answer& answer, AnswerText text);

// Returns a sink that prints an answer's text as it comes, without characters that a terminal would
// obey.
TextSink PrintingSink();

}  // namespace tome
