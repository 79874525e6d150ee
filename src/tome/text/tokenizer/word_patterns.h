// Splits text into words ("pre-tokens") by the patterns of byte-level BPE models.
//
// Each pattern is a regular expression with first-match alternation. The functions here are written
// by hand and give the same words in one pass, with one table lookup for each character.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tome/text/tokenizer/char_classes.h"

namespace tome {

// Bytes [begin, end) of a text.
struct Span {
  uint32_t begin;
  uint32_t end;

  friend bool operator==(const Span&, const Span&) = default;
};

enum class WordPattern {
  // 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  kGpt2,
  // (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*
  // |\s*[\r\n]+|\s+(?!\S)|\s+
  kLlama3,
  kQwen2,   // kLlama3 with \p{N} in place of \p{N}{1,3}
  kQwen35,  // kQwen2 with [\p{L}\p{M}] in place of \p{L}
  // [!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*
  // |\s*[\r\n]+|\s+(?!\S)|\s+
  kDeepSeek3,
};

// Returns the pattern that a regular expression of tokenizer.json spells. Empty for any other.
std::optional<WordPattern> KnownPattern(std::string_view regex);

// Appends the words of text[within], which together cover it. Text that no alternative matches is a
// word.
void SplitByPattern(WordPattern pattern, std::string_view text, Span within,
                    std::vector<Span>& out);

// The pattern \s?X{least,most}, or X{least,most} without the optional white space. Matches and the
// text between them become words.
struct RunPattern {
  CodePointSet set;
  bool optional_space = false;
  uint32_t least = 1;
  uint32_t most = UINT32_MAX;
};
void SplitByRuns(const RunPattern& pattern, std::string_view text, Span within,
                 std::vector<Span>& out);

// Makes the white space that text[within] ends with (\s+$) a word of its own.
void SplitTrailingSpace(std::string_view text, Span within, std::vector<Span>& out);

}  // namespace tome
