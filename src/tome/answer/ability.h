// The ability of a model to answer from evidence. A short test on a synthetic text measures it once
// per model and language: which heads attend to the sentence that answers, from how much text the
// model still answers rightly, and how sure it is then.
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

// The amount of text that a model answers from: the largest one that does not make it answer worse.
enum class EvidenceAmount {
  kSentence,   // one sentence alone, each of the likeliest in turn
  kSentences,  // three sentences
  kText,       // all of the passages, or of the documents
};
inline constexpr std::array kEvidenceAmounts{EvidenceAmount::kSentence, EvidenceAmount::kSentences,
                                             EvidenceAmount::kText};
std::string_view NameOf(EvidenceAmount amount);  // "sentence", "sentences", "text"

struct Ability {
  // Heads whose attention from a question, and from a reply, finds the sentence that answers. Empty
  // where no head does so.
  std::vector<AttentionHead> heads;
  double head_rank = 0;  // mean reciprocal rank of the sentence that answers, by all of `heads`
  EvidenceAmount amount = EvidenceAmount::kSentence;
  // The longest tested text, in tokens, in which the model finds at least half of the facts; longer
  // ones are cut into passages. 0 where it finds fewer in the synthetic text alone. At least the
  // trained length where no tested text was too long.
  int64_t reliable_tokens = 0;
  // Mean ln P of a token of the reply, from a sentence that answers and from one that does not.
  double right_log_probability = 0;
  double wrong_log_probability = 0;
  // Shares of the synthetic questions that it answers rightly from a text of each amount.
  double from_sentence = 0;
  double from_sentences = 0;
  double from_text = 0;

  double threshold() const { return (right_log_probability + wrong_log_probability) / 2; }
  friend bool operator==(const Ability&, const Ability&) = default;
};

// Returns the longest text, in tokens, that the model looks for evidence in as a whole. In longer
// texts it looks in passages.
int64_t ReadableTokens(const Ability& ability);
// Tokens of the passages in which a model that does not answer from whole texts looks for evidence.
inline constexpr int64_t kRankedTokens = 600;

// Tests a model, which reads some thousand tokens. Reports "testing the model". Throws the errors
// of Model::Forward and Error(kCancelled).
Ability TestAbility(const LanguageModel& model, PromptLanguage language,
                    const WorkControl& control);

// The ability as JSON, for the library to keep. AbilityFromText returns no value for any other
// text.
std::string ToText(const Ability& ability);
std::optional<Ability> AbilityFromText(std::string_view text);

// Whether the model has all heads that the ability names. A kept ability that names others was
// damaged or belongs to another model, and must not reach a tap.
bool HasHeadsOf(const Ability& ability, const ModelFacts& facts);

}  // namespace tome
