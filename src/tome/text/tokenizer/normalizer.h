// A normalizer changes a text before it is split into words. It is a sequence of steps on UTF-8.
//
// Steps that look at characters read an ill-formed byte as U+FFFD; plain replacements leave it
// alone.
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

// Writes each character, taken by itself, as its full lower case.
std::unique_ptr<NormalizerStep> LowercaseStep();

// Drops marks (general category M).
std::unique_ptr<NormalizerStep> StripAccentsStep();

struct BertNormalization {
  bool clean_text = true;      // drop control characters, write white space as a space
  bool pad_ideographs = true;  // spaces around CJK ideographs
  bool strip_accents = true;   // NFD, then drop non-spacing marks
  bool lowercase = true;
};
std::unique_ptr<NormalizerStep> BertStep(const BertNormalization& options);

std::unique_ptr<NormalizerStep> ReplaceStep(std::string from, std::string to);
// Replaces the matches of a regular expression. Errors name `field`.
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
// Applies a precompiled_charsmap (charsmap.h). Errors name `field`.
std::unique_ptr<NormalizerStep> CharsmapStep(std::string_view bytes, std::string_view field);
// Replaces each run of spaces by one space and drops the spaces at both ends.
std::unique_ptr<NormalizerStep> CollapseSpacesStep();

}  // namespace tome
