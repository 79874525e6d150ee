// A normalizer changes a text before a pre-tokenizer (pre_tokenizer.h) splits it into words. It is
// a sequence of steps on UTF-8.
//
// The steps Lowercase, StripAccents, Bert and Charsmap write U+FFFD for each ill-formed byte. Steps
// that replace, prepend or strip leave such bytes as they are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tome {

class NormalizerStep {
 public:
  virtual ~NormalizerStep() = default;
  virtual void Apply(std::string& text) const = 0;

 protected:
  NormalizerStep() = default;
  NormalizerStep(const NormalizerStep&) = default;
  NormalizerStep& operator=(const NormalizerStep&) = default;
};

using Normalizer = std::vector<std::unique_ptr<NormalizerStep>>;

std::string Normalized(const Normalizer& normalizer, std::string_view text);

enum class UnicodeForm { kNfc, kNfd, kNfkc, kNfkd };
std::unique_ptr<NormalizerStep> UnicodeFormStep(UnicodeForm form);

// Replaces each character by its full lower case, whatever its neighbours are: a Σ at the end of a
// word becomes σ, not ς.
std::unique_ptr<NormalizerStep> LowercaseStep();

// Drops marks (general category M). A precomposed letter such as é keeps its accent, unless an NFD
// step has taken it apart before.
std::unique_ptr<NormalizerStep> StripAccentsStep();

struct BertNormalization {
  // Drops NUL, U+FFFD and category C except tab and line ends, and writes white space as spaces.
  bool clean_text = true;
  bool pad_ideographs = true;  // put spaces around CJK ideographs
  bool strip_accents = true;   // apply NFD, then drop non-spacing marks
  bool lowercase = true;
};
std::unique_ptr<NormalizerStep> BertStep(const BertNormalization& options);

std::unique_ptr<NormalizerStep> ReplaceStep(std::string from, std::string to);
// Replaces the matches of a regular expression. Errors name `field`, the place of the expression in
// the tokenizer's file.
std::unique_ptr<NormalizerStep> ReplaceRegexStep(std::string_view pattern, std::string to,
                                                 std::string field);
// Puts `prefix` before a text that is not empty.
std::unique_ptr<NormalizerStep> PrependStep(std::string prefix);
// Says at which ends of a text white space is removed.
struct StrippedEnds {
  bool left = true;
  bool right = true;
};
std::unique_ptr<NormalizerStep> StripStep(StrippedEnds ends);
// Applies SentencePiece's precompiled_charsmap, whose content is `bytes` (charsmap.h). Errors name
// `field`, its place in the tokenizer's file.
std::unique_ptr<NormalizerStep> CharsmapStep(std::string_view bytes, std::string_view field);
// Replaces each run of spaces by one space and drops the spaces at both ends.
std::unique_ptr<NormalizerStep> CollapseSpacesStep();

}  // namespace tome
