// The way `survey`: documents are read window by window, for questions about the whole.
//
// Map: the model reads each window (documents/windows.h) and a note is kept of it. For a summary the
// note is one sentence of the model's. For other questions it holds the sentences of the window that
// make the question likelier, by the model, than a sentence about something else does
// (kAboutQuestion). A note without evidence in its window is not kept.
// Reduce: the notes of a summary are combined in groups, level by level, until a few are left. What
// was found for a list or a count is not combined: code drops what says the same and counts.
// So no number comes from the model, and every sentence of the answer has its citations.
//
// Notes are kept in the library as they are made (store/note_store.h). A survey that was stopped goes
// on where it was, and a survey that was complete costs nothing when it is asked for again.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/answer.h"
#include "tome/answer/answer_model.h"
#include "tome/answer/whole_question.h"
#include "tome/base/progress.h"
#include "tome/documents/windows.h"
#include "tome/library/library.h"
#include "tome/models/model.h"

namespace tome {

// Tokens around the text of a window: instructions, question and the note that is written.
inline constexpr int64_t kTokensBesideWindow = 160;

// Returns the size of the windows that a model reads: kRankedTokens, or less where a third of its
// context is less. Small models answer from such lengths as well as they do at all.
WindowSize SurveyWindowSize(const ModelFacts& model);

// Returns about how many windows `document_tokens` tokens are cut into, and how many tokens the
// model reads and writes for them, both estimated.
struct SurveyCost {
  int64_t windows = 0;
  int64_t tokens = 0;
};
SurveyCost EstimateSurvey(int64_t document_tokens, const WindowSize& size);

struct SurveyOptions {
  WholeQuestion whole;
  WindowSize window;
  std::string model_key;  // of the model's files; notes of other models are not taken over
  // Longest reading. Where it is too short for all windows, as many as fit are read, spread evenly.
  double budget_seconds = 60;
  std::optional<double> window_seconds = {};  // of one window; empty: unknown, and all are read
};

// Surveys documents (all of the library where none are named) and fills the text, the sentences, the
// citations, the support, the notes and the figures of `answer`, whose `question` is set. `model`
// must outlive the call. Reports "surveying" in windows. Throws Error(kInvalidArgument) where there
// are no documents, the errors of the model, and Error(kCancelled); notes made until then are kept.
void Survey(Library& library, std::span<const NamedDocument> documents, const AnswerModel& model,
            const SurveyOptions& options, Answer& answer, const WorkControl& control);

// Counts the places where documents hold `literal` and cites the sentences around the first of them.
// Case and the orthography of Han characters do not matter, and Latin words must be whole. The count
// is exact and needs no model. Fills `answer` as Survey does.
void CountOccurrences(Library& library, std::span<const NamedDocument> documents,
                      std::string_view literal, Answer& answer, const WorkControl& control);

// Returns the spans of the places where a text holds `literal`, as CountOccurrences counts them. They
// do not overlap.
std::vector<TextSpan> OccurrencesOf(std::string_view literal, std::string_view text);

}  // namespace tome
