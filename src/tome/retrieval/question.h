// From a question in natural language to what the lexical index is asked.
//
//  - Question and function words ("how do I", "是什么") carry no topic and are left out, unless
//  nothing
//    else remains; the rare words are what decides.
//  - Words joined by punctuation without a space ("sources.list", "apt-get") also count as a
//  phrase.
//  - A run of Chinese, Japanese or Korean is cut into words by ICU's dictionary and question
//    words are left out. Searched are the pairs of characters inside the words, pairs across two
//    words where one is a single character (the dictionary knows no names: 卡|瑞|尔), which count
//    less, and single characters that are in no such pair, which count least.
//  - A quoted phrase ("…", “…”, 「…」, 『…』) must occur in a passage exactly so.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tome/retrieval/lexical_index.h"
#include "tome/text/analyzer.h"

namespace tome {

// Longest question that is searched; what follows is no question any more.
inline constexpr size_t kMaxQuestionBytes = 16384;
// Most terms of a question that are searched.
inline constexpr size_t kMaxQuestionTerms = 64;

struct Question {
  std::string text;                  // normalized
  std::vector<QueryTerm> terms;      // distinct, at most kMaxQuestionTerms
  std::vector<std::string> phrases;  // the quoted ones, as written
};

// Error(kInvalidArgument) for a question without any letter or digit, or one above
// kMaxQuestionBytes.
Question ParseQuestion(std::string_view text, Analyzer& analyzer);

// The term stream that finds `text` as a phrase; empty when it holds no term.
std::string PhraseStream(std::string_view text, Analyzer& analyzer);

}  // namespace tome
