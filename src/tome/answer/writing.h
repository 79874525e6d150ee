// How an answer is written from evidence, as the model can (ability.h).
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
  // Mean ln P of the tokens of the reply that was chosen, before it was contrasted with one
  // without evidence.
  double log_probability = 0;
  // By how much the evidence makes the answer's tokens more likely, in ln P of a token on average.
  double gain = 0;
  // By how much the evidence makes the question's tokens more likely than a sentence about
  // something else does, in ln P of a token on average: of words that are copied this says whether
  // they are about what was asked. Nothing where the model does not tell.
  std::optional<double> question_gain = {};
};

struct EvidenceWritingOptions {
  SamplingOptions sampling;
  int64_t max_tokens = 64;
};

// Candidates for the one sentence that is answered from.
inline constexpr size_t kCandidates = 5;

// Measures `likelihood` for the `count` sentences that words rank best: the mean ln P of the
// question's tokens after each (query likelihood: Ponte and Croft, 1998; by language models: Sachan
// et al., arXiv 2204.07496). The others get the least that was measured. Nothing where the model
// does not tell.
void ScoreLikelihood(const AnswerModel& model, std::string_view question, size_t count,
                     std::vector<EvidenceSentence>& sentences, ComputedTokens& computed,
                     const WorkControl& control);

// Answers from the best sentences: each of up to kCandidates alone (or with the two best others, as
// the ability has it), all in the same passes; the reply that is most likely by evidence and model
// together is the answer, written in contrast to what the model says without evidence.
WrittenAnswer WriteFromEvidence(const AnswerModel& model, const Ability& ability,
                                std::string_view question,
                                std::span<const EvidenceSentence> sentences,
                                const EvidenceWritingOptions& options, ComputedTokens& computed,
                                const WorkControl& control);

}  // namespace tome
