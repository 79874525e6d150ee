// Splitting a normalized text into the words that a model encodes one by one: a sequence of steps,
// each of which splits further what the steps before it left.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tome/text/tokenizer/word_patterns.h"

namespace tome {

// A text and its words, in order. A step may replace the text (a space by "▁").
struct WordList {
  std::string_view text;  // the caller's, or owned
  std::string owned;
  std::vector<Span> words;   // none is empty
  std::vector<Span> buffer;  // for the steps
  bool at_start = true;      // the text is the beginning of what is encoded
};

class PreTokenizerStep {
 public:
  virtual ~PreTokenizerStep() = default;
  virtual void Apply(WordList& list) const = 0;

 protected:
  PreTokenizerStep() = default;
  PreTokenizerStep(const PreTokenizerStep&) = default;
  PreTokenizerStep& operator=(const PreTokenizerStep&) = default;
};

using PreTokenizer = std::vector<std::unique_ptr<PreTokenizerStep>>;

// What becomes of the matches of a pattern.
enum class SplitBehavior { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };

std::unique_ptr<PreTokenizerStep> PatternStep(WordPattern pattern);
std::unique_ptr<PreTokenizerStep> RunStep(RunPattern pattern);
std::unique_ptr<PreTokenizerStep> TrailingSpaceStep();
// Any regular expression, by ICU; with `invert` what lies between its matches counts as the match.
// Errors name `field`.
std::unique_ptr<PreTokenizerStep> RegexStep(std::string_view pattern, SplitBehavior behavior,
                                            bool invert, std::string field);
std::unique_ptr<PreTokenizerStep> LiteralStep(std::string literal, SplitBehavior behavior,
                                              bool invert);

enum class CharKind { kWhiteSpace, kSign, kDigit };
// A sign is \p{P} and every ASCII character that is neither letter, digit nor white space.
std::unique_ptr<PreTokenizerStep> CharStep(CharKind kind, SplitBehavior behavior);
// \w+|[^\w\s]+
std::unique_ptr<PreTokenizerStep> WordStep();

// A space before each word that does not begin with one.
std::unique_ptr<PreTokenizerStep> PrefixSpaceStep();

enum class PrependScheme { kAlways, kFirst, kNever };
// " " becomes `replacement`, one is put before the text; with `split` each begins a word.
std::unique_ptr<PreTokenizerStep> MetaspaceStep(std::string replacement, PrependScheme scheme,
                                                bool split);

}  // namespace tome
