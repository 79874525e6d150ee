// Turns a question in natural language into a query to the lexical index.
//
// - Question and function words ("how do I", "是什么") say nothing about the topic. They are left
//   out unless no other word remains. The rare words decide.
// - Words that punctuation joins without a space ("sources.list", "apt-get") also count as a
//   phrase.
// - ICU's dictionary cuts a run of Chinese, Japanese or Korean into words, and question words are
//   left out. The query then holds
//     - the pairs of characters inside words,
//     - with less weight, the pairs that cross from one word to the next where one of them is a
//       single character, because the dictionary does not know names (卡|瑞|尔),
//     - with the least weight, the single characters that are in no such pair.
// - A passage must hold the terms of a quoted phrase ("…", “…”, 「…」, 『…』) one after the other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tome/retrieval/lexical_index.h"
#include "tome/text/analyzer.h"

namespace tome {

// Longest question in bytes.
inline constexpr size_t kMaxQuestionBytes = 16384;
// Largest number of terms in a query; further terms are dropped.
inline constexpr size_t kMaxQuestionTerms = 64;

struct Question {
  std::string text;                  // normalized
  std::vector<QueryTerm> terms;      // distinct, at most kMaxQuestionTerms
  std::vector<std::string> phrases;  // the quoted phrases, as written
};

// Parses a question. Throws Error(kInvalidArgument) for a question without any letter or digit and
// for one of more than kMaxQuestionBytes.
Question ParseQuestion(std::string_view text, Analyzer& analyzer);

// Returns the term stream that finds `text` as a phrase. It is empty where `text` holds no term.
std::string PhraseStream(std::string_view text, Analyzer& analyzer);

}  // namespace tome
