// Decides how far an answer stands on its evidence: by how sure the model was, by how much of the
// question the evidence holds, and by the numbers and names of the answer that the evidence lacks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/answer.h"
#include "tome/text/analyzer.h"

namespace tome {

// Returns the numbers and names of `answer` that neither `evidence` nor `question` holds, in order.
std::vector<std::string> MissingFrom(std::string_view answer, std::string_view evidence,
                                     std::string_view question, Analyzer& analyzer);

// Returns an answer from one sentence without what small models add to it. The first sentence
// stays. A later one is dropped where less than 60 % of its words, or not all of its numbers and
// names, stand in the evidence or the question.
std::string WithoutRambling(std::string_view answer, std::string_view evidence,
                            std::string_view question, Analyzer& analyzer);

// Removes the sentences of an answer that are not supported, and adds a note that says so.
void LeaveOutUnsupported(Answer& answer);

// Returns how sure it is that an answer is right and rests on its evidence. Above kSure it nearly
// always is, below kLow seldom (docs/benchmarks.md has the calibration). `log_probability` is the
// mean over the reply's tokens. `coverage` is the share of the question's words, by idf, that the
// evidence holds.
double ConfidenceOf(double log_probability, double coverage);
inline constexpr double kSure = -0.4;
inline constexpr double kLow = -2.5;

// Returns the support by confidence, by WrittenAnswer::question_gain, and by what MissingFrom found.
// A model copies a sentence surely, whatever it was asked. Therefore the evidence of a supported
// answer must also make the question likelier, by at least kAboutQuestion.
Support SupportOf(double confidence, std::optional<double> question_gain,
                  const std::vector<std::string>& missing);
inline constexpr double kAboutQuestion = 1.7;

// Returns the support of a sentence of an answer from whole texts. `coverage` is the share of the
// sentence's words, by idf, that its evidence holds, and `missing` is what MissingFrom found.
Support SupportByWords(double coverage, const std::vector<std::string>& missing);

// Returns whether the documents most likely do not answer the question. A low confidence alone may
// be due to a weak model, so a second sign is needed: the evidence hardly makes the reply likelier
// (WrittenAnswer::gain), which is the model's own then, or the best evidence hardly makes the
// question likelier.
bool IsNotSaid(double confidence, double gain, std::optional<double> question_gain);
inline constexpr double kNotSaidConfidence = -2;
inline constexpr double kNotSaidGain = 0.8;
inline constexpr double kNotAboutConfidence = -1;
inline constexpr double kNotAboutQuestion = 0.3;

// Adds a citation to the answer unless the answer holds it already, and returns its index there.
size_t AddCitation(Citation citation, Answer& answer);

}  // namespace tome
