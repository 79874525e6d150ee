// What a model can do with evidence, as a short test on a made-up text finds out once per model and
// language: which heads look for the place that answers, from how much text it still answers
// rightly, and how sure it is when it is right.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tome/answer/prompt.h"
#include "tome/base/progress.h"
#include "tome/generate/language_model.h"
#include "tome/models/attention_tap.h"

namespace tome {

// From how much text a model writes its answer: the most that does not make it answer worse.
enum class EvidenceAmount {
  kSentence,   // one sentence alone, each of the likeliest in turn
  kSentences,  // three sentences
  kText,       // all of the passages, or of the documents
};
inline constexpr std::array kEvidenceAmounts{EvidenceAmount::kSentence, EvidenceAmount::kSentences,
                                             EvidenceAmount::kText};
std::string_view NameOf(EvidenceAmount amount);  // "sentence", "sentences", "text"

struct Ability {
  // Heads whose attention from a question, and from a reply, tells the sentence that answers; none
  // where no head does so.
  std::vector<AttentionHead> heads;
  double head_rank = 0;  // mean reciprocal rank of the sentence that answers, by all of `heads`
  EvidenceAmount amount = EvidenceAmount::kSentence;
  // The longest text in which it finds most facts; longer ones are cut into passages for it.
  int64_t reliable_tokens = 0;
  // ln P of a token of its reply, on average: from a sentence that answers, and from one that does
  // not.
  double right_log_probability = 0;
  double wrong_log_probability = 0;
  // Shares of the made-up questions that it answers rightly from a text of each amount.
  double from_sentence = 0;
  double from_sentences = 0;
  double from_text = 0;

  double threshold() const { return (right_log_probability + wrong_log_probability) / 2; }
  friend bool operator==(const Ability&, const Ability&) = default;
};

// Texts of up to so many tokens are given to the model as a whole to look for evidence in; in
// longer ones it looks in passages.
int64_t ReadableTokens(const Ability& ability);
// Tokens of the passages that a model looks in which does not answer from whole texts.
inline constexpr int64_t kRankedTokens = 600;

// Tests a model: reads some thousand tokens; reports "testing the model". Errors as
// Model::Forward's, Error(kCancelled).
Ability TestAbility(const LanguageModel& model, PromptLanguage language,
                    const WorkControl& control);

// For the library to keep, and back; nothing where it is no such text.
std::string ToText(const Ability& ability);
std::optional<Ability> AbilityFromText(std::string_view text);

// Whether the model has all heads that the ability names. A kept ability that names others was
// damaged or belongs to another model, and must not reach a tap.
bool HasHeadsOf(const Ability& ability, const ModelFacts& facts);

}  // namespace tome
