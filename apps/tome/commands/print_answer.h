// An answer as a person reads it: on stdout the answer and its citations, on stderr the notes.
#pragma once

#include "tome/answer/answer.h"
#include "tome/generate/session.h"

namespace tome {

enum class AnswerText { kPrint, kPrintedAlready };

// The quotes of the way `quotes` are the answer: there kPrintedAlready prints the citations alone.
void PrintAnswer(const Answer& answer, AnswerText text);

// Prints an answer's text as it comes, without what a terminal would obey.
TextSink PrintingSink();

}  // namespace tome
