// Writes an answer from evidence, as the model's ability allows (ability.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/answer/ability.h"
#include "tome/answer/answer_model.h"
#include "tome/answer/evidence.h"
#include "tome/base/progress.h"

namespace tome {

// An answer that was written from evidence.
struct WrittenAnswer {
  std::string text;
  std::vector<size_t> evidence;  // indices of the sentences it was written from, the best first
  // Mean ln P of the tokens of the chosen reply before it was contrasted with the reply without
  // evidence.
  double log_probability = 0;
  // How much more likely the evidence makes the answer's tokens, in ln P of a token on average.
  double gain = 0;
  // How much more likely the evidence makes the question's tokens than a sentence about something
  // else does, in ln P of a token on average. For copied words this tells whether they are about
  // the question. Empty where the model cannot tell.
  std::optional<double> question_gain = {};
};

struct EvidenceWritingOptions {
  SamplingOptions sampling;
  int64_t max_tokens = 64;
};

// Largest number of candidates for the one sentence that is answered from.
inline constexpr size_t kCandidates = 5;

// Measures `likelihood` for the `count` sentences with the best score by words: the mean ln P of
// the question's tokens after each sentence (query likelihood: Ponte and Croft, 1998; by language
// models: Sachan et al., arXiv 2204.07496). The other sentences get the smallest measured value.
// Does nothing where the model cannot tell.
void ScoreLikelihood(const AnswerModel& model, std::string_view question, size_t count,
                     std::vector<EvidenceSentence>& sentences, ComputedTokens& computed,
                     const WorkControl& control);

// Answers from the best sentences: from each of up to kCandidates alone, or together with the two
// best others where the ability says so. All replies are written in the same passes. The answer
// comes from the candidate with the best sum of evidence score and reply probability. It is written
// in contrast to what the model says without evidence.
WrittenAnswer WriteFromEvidence(const AnswerModel& model, const Ability& ability,
                                std::string_view question,
                                std::span<const EvidenceSentence> sentences,
                                const EvidenceWritingOptions& options, ComputedTokens& computed,
                                const WorkControl& control);

}  // namespace tome
