// Turns a question in natural language into a query to a search by words.
//
// - Question and function words ("how do I", "是什么") say nothing about the topic. They are left
//   out unless the query would be empty without them.
// - Words that punctuation joins without a space ("sources.list", "apt-get") become a phrase in the
//   query, beside the single words. None of them is left out.
// - ICU's dictionary cuts a run of Chinese, Japanese or Korean into words. Question words are left
//   out, and so are phrases of them (什么时候, 多少钱, 是不是), however the dictionary cuts them,
//   in traditional and in simplified characters. The query then holds
//     - each pair of neighbouring characters within a word,
//     - with less weight, the pair of characters where two words meet, if one of the two words is a
//       single character: it may be part of a name, which the dictionary cuts apart (卡|瑞|尔),
//     - with the least weight, each character that is in none of these pairs.
// - A quoted phrase ("…", “…”, 「…」, 『…』) is required: a passage without its terms one after the
//   other is no result. The words of the phrase count by themselves too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tome/retrieval/bm25.h"
#include "tome/text/analyzer.h"

namespace tome {

// Most bytes of a question.
inline constexpr size_t kMaxQuestionBytes = 16384;
// Most terms of a query. Further terms are dropped.
inline constexpr size_t kMaxQuestionTerms = 64;

struct Question {
  std::string text;                  // in NFC, with white space collapsed
  std::vector<QueryTerm> terms;      // distinct, at most kMaxQuestionTerms
  std::vector<std::string> phrases;  // the quoted phrases, as written
};

// Parses a question. Throws Error(kInvalidArgument) for a question without any letter or digit and
// for one of more than kMaxQuestionBytes.
Question ParseQuestion(std::string_view text, Analyzer& analyzer);

// Returns the QueryTerm::stream that finds `text` as a phrase. It is empty where `text` holds no
// term.
std::string PhraseStream(std::string_view text, Analyzer& analyzer);

}  // namespace tome
