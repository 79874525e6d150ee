// From text to the terms that the lexical index holds.
//
//  - Alphabetic scripts: a term is a run of letters, marks and digits (an apostrophe inside joins,
//  a '.' or
//    ',' joins digits), case, width and diacritics folded (NFKC_Casefold, then marks of Latin,
//    Greek and Cyrillic dropped, but for that of й), stemmed by Snowball: English for the Latin
//    script, Russian for Cyrillic. Commas inside numbers are dropped. "Sources.list" gives "sourc",
//    "list"; "10,000" gives "10000".
//  - Chinese, Japanese, Korean: every character is a term, and every pair of neighbours is one, at
//  the
//    same position as its first character, so that a word of two or more characters is a phrase of
//    pairs.
//  - Scripts written without spaces that are not CJK (Thai, Lao, Khmer, Burmese): words by ICU's
//    dictionaries.
// White space, punctuation and symbols separate and are not indexed.
//
// The terms depend on the versions of ICU and Snowball: AnalyzerVersion() changes with them, and an
// index made by another version is rebuilt.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tome {

// Longest term in bytes; longer runs are cut there (a term this long is no word of any language).
inline constexpr size_t kMaxTermBytes = 63;

enum class TermKind {
  kWord,     // of an alphabetic script, stemmed
  kUnigram,  // one CJK character
  kBigram,   // two CJK characters, the first at this position
};

struct Term {
  std::string_view text;  // folded; valid during the call of the sink only
  TermKind kind = TermKind::kWord;
  uint64_t begin = 0;  // byte span in the analyzed text
  uint64_t end = 0;
};

// Called in order of position. A bigram follows the unigram whose position it shares; every other
// term takes the next position.
using TermSink = std::function<void(const Term&)>;

// Holds ICU and Snowball objects and a cache of stems, so: one analyzer a thread, reused.
class Analyzer {
 public:
  Analyzer();
  Analyzer(const Analyzer&) = delete;
  Analyzer& operator=(const Analyzer&) = delete;
  ~Analyzer();

  // Analyzes well-formed UTF-8 of less than 2 GiB.
  void Analyze(std::string_view utf8, const TermSink& sink);

  // The term of one word: folded and stemmed.
  std::string Fold(std::string_view word);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The terms of a text in their order, CJK characters and pairs of them as the index has them.
std::vector<std::string> TermsOf(std::string_view text, Analyzer& analyzer);

// "tome-2 icu-72.1 snowball-2": what the terms of an index depend on.
std::string AnalyzerVersion();

}  // namespace tome
