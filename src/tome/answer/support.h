// How far an answer stands on its evidence, said honestly: by how sure the model was, by how much
// of the question the evidence holds, and by the numbers and names of the answer that stand nowhere
// in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/answer.h"
#include "tome/text/analyzer.h"

namespace tome {

// Numbers and names of `answer` that neither `evidence` nor `question` holds, in order.
std::vector<std::string> MissingFrom(std::string_view answer, std::string_view evidence,
                                     std::string_view question, Analyzer& analyzer);

// An answer from one sentence without what small models add when they have said it: every sentence
// behind the first whose words stand neither in the evidence nor in the question for the most part.
std::string WithoutRambling(std::string_view answer, std::string_view evidence,
                            std::string_view question, Analyzer& analyzer);

// Leaves out the sentences of an answer that are not supported, with a note that says so.
void LeaveOutUnsupported(Answer& answer);

// How sure it is that an answer is right and rests on its evidence; above kSure it is nearly
// always, below kLow seldom (docs/benchmarks.md has what it was calibrated on). `log_probability`:
// of the reply's tokens on average; `coverage`: the share of the question's words, by idf, that the
// evidence holds.
double ConfidenceOf(double log_probability, double coverage);
inline constexpr double kSure = -0.4;
inline constexpr double kLow = -2.5;

// Support by confidence, by WrittenAnswer::question_gain, and by whether MissingFrom found
// anything. A model copies a sentence surely whatever it was asked: what is called supported must
// make the question likelier as well, by kAboutQuestion.
Support SupportOf(double confidence, std::optional<double> question_gain, bool anything_missing);
inline constexpr double kAboutQuestion = 1.7;

// The same for a sentence of an answer from whole texts: `coverage` is the share of its words, by
// idf, that its evidence holds.
Support SupportByWords(double coverage, bool anything_missing);

// Whether the documents most likely do not say what was asked, where a low confidence alone may
// come of a weak model. Either the evidence makes hardly any of the reply likelier (`gain`, as
// WrittenAnswer has it), which is the model's own then; or the best evidence makes the question
// hardly likelier.
bool IsNotSaid(double confidence, double gain, std::optional<double> question_gain);
inline constexpr double kNotSaidConfidence = -2;
inline constexpr double kNotSaidGain = 0.8;
inline constexpr double kNotAboutConfidence = -1;
inline constexpr double kNotAboutQuestion = 0.3;

// The index of a citation among those of the answer, where it is added unless it is there.
size_t AddCitation(Citation citation, Answer& answer);

}  // namespace tome
