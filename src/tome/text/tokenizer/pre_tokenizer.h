// A pre-tokenizer splits a normalized text into the words that a model encodes one by one. It is a
// sequence of steps; each splits the words that the steps before it left.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tome/text/tokenizer/word_patterns.h"

namespace tome {

// A text and its words, in order. A step may replace the text (a space by "▁").
struct WordList {
  std::string_view text;  // of the caller or of `owned`
  std::string owned;
  std::vector<Span> words;   // no word is empty
  std::vector<Span> buffer;  // for the steps
  bool at_start = true;      // true where the encoded text begins with this text
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

// Says whether the matches of a pattern become words, are dropped, join the word before or after
// them, or (kContiguous) join neighbouring matches.
enum class SplitBehavior { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };

std::unique_ptr<PreTokenizerStep> PatternStep(WordPattern pattern);
std::unique_ptr<PreTokenizerStep> RunStep(RunPattern pattern);
std::unique_ptr<PreTokenizerStep> TrailingSpaceStep();
// Says what counts as a match of a pattern: the text that it matches, or the text between.
enum class SplitMatch { kPattern, kBetween };
// Splits by any regular expression, with ICU. Errors name `field`.
std::unique_ptr<PreTokenizerStep> RegexStep(std::string_view pattern, SplitBehavior behavior,
                                            SplitMatch match, std::string field);
std::unique_ptr<PreTokenizerStep> LiteralStep(std::string literal, SplitBehavior behavior,
                                              SplitMatch match);

enum class CharKind { kWhiteSpace, kSign, kDigit };
// A sign is \p{P} and every ASCII character that is neither letter, digit nor white space.
std::unique_ptr<PreTokenizerStep> CharStep(CharKind kind, SplitBehavior behavior);
// Keeps the matches of \w+|[^\w\s]+ as words.
std::unique_ptr<PreTokenizerStep> WordStep();

// Puts a space before each word that does not begin with one.
std::unique_ptr<PreTokenizerStep> PrefixSpaceStep();

enum class PrependScheme { kAlways, kFirst, kNever };
// Writes each " " as `replacement`. Puts one more before each word (kAlways) or before the first
// word of the encoded text (kFirst), unless the word begins with a space or a replacement. With
// `split`, each replacement begins a word.
std::unique_ptr<PreTokenizerStep> MetaspaceStep(std::string replacement, PrependScheme scheme,
                                                bool split);

}  // namespace tome
