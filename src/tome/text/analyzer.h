// Turns text into the terms that the lexical index holds.
//
// - Alphabetic scripts: a term is a run of letters, marks and digits. An apostrophe between letters
//   joins them, and so does a '.' or ',' between digits. Case, width and diacritics are folded:
//   NFKC_Casefold, then the marks of Latin, Greek and Cyrillic are dropped, except the breve of й.
//   Snowball stems the result, with English for the Latin script and Russian for Cyrillic. Commas
//   inside numbers are dropped. "Sources.list" gives "sourc", "list"; "10,000" gives "10000".
// - Chinese, Japanese, Korean: every character is a term. Every pair of neighbours is a term too,
//   at the position of its first character, so that a word of two or more characters is a phrase
//   of pairs. Traditional and simplified characters are the same terms (text/han_folding.h).
// - Scripts written without spaces that are not CJK (Thai, Lao, Khmer, Burmese): ICU's dictionaries
//   find the words.
//
// White space, punctuation and symbols separate terms and are not indexed.
//
// The terms depend on the versions of ICU and Snowball and on OpenCC's tables. AnalyzerVersion()
// changes with them, and an index made by another version is rebuilt.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tome {

// Longest term in bytes. Longer runs are cut there; a term this long is no word of any language.
inline constexpr size_t kMaxTermBytes = 63;

enum class TermKind {
  kWord,     // a word of any other script, folded and stemmed
  kUnigram,  // one CJK character
  kBigram,   // two CJK characters; the first is at this position
};

struct Term {
  std::string_view text;  // folded; valid only during the call of the sink
  TermKind kind = TermKind::kWord;
  uint64_t begin = 0;  // byte span in the analyzed text
  uint64_t end = 0;
};

// The sink is called in order of position. A bigram follows the unigram whose position it shares;
// every other term takes the next position.
using TermSink = std::function<void(const Term&)>;

// Holds ICU and Snowball objects and a cache of stems. Each thread needs its own and should reuse
// it.
class Analyzer {
 public:
  Analyzer();
  Analyzer(const Analyzer&) = delete;
  Analyzer& operator=(const Analyzer&) = delete;
  ~Analyzer();

  // Analyzes well-formed UTF-8 of less than 2 GiB.
  void Analyze(std::string_view utf8, const TermSink& sink);

  // Returns the term of one word: folded and stemmed.
  std::string Fold(std::string_view word);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Returns the terms of a text, CJK characters and their pairs included, in the order of Analyze.
std::vector<std::string> TermsOf(std::string_view text, Analyzer& analyzer);

// Returns the versions that the terms of an index depend on, such as "tome-2 icu-72.1 snowball-2".
std::string AnalyzerVersion();

}  // namespace tome
